import Planning
import Schema

/// Draws the same numbers from the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        self.state = seed
    }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Random transactions over few enough names that they keep meeting each other.
struct RandomChanges {
    private var generator: SeededGenerator

    init(seed: UInt64) {
        self.generator = SeededGenerator(seed: seed)
    }

    /// One to five changes.
    mutating func transaction() throws -> [FactChange] {
        try (0..<self.number(below: 5) + 1).map { _ in try self.change() }
    }

    private mutating func number(below limit: Int) -> Int {
        Int.random(in: 0..<limit, using: &self.generator)
    }

    private mutating func change() throws -> FactChange {
        let variant = Samples.variant(self.number(below: 4))
        let instance = Samples.instance(self.number(below: 3))
        let small = self.number(below: 4)
        let suspension: Suspension = small == 0 ? .everything : .resource(Samples.resource(small))
        return switch self.number(below: 20) {
        case 0, 1: .variant(variant, try Samples.facts(variant, revisions: Array(small..<small + 3)))
        case 2: .forgetVariant(variant)
        case 3: .hold(Samples.hold(variant, small, message: "try \(self.number(below: 100))"))
        case 4: .liftHold(variant, Samples.revision(small))
        case 5: .suspend(suspension)
        case 6: .resume(suspension)
        case 7: .probe(instance, Samples.probe(small))
        case 8: .beginLoading(instance)
        case 9: small == 0 ? .endLoading(instance) : .loadCutShort(instance, starts: small)
        case 10: .crashed(instance)
        case 11: .forgiveCrash(instance)
        case 12: .commit(Samples.commit(small, readAt: Int64(self.number(below: 3)), converged: 9))
        case 13: .promotion(Samples.promotion(variant, small))
        case 14: .conditions(Samples.resource(small), small == 0 ? [] : [Samples.condition("c\(small)")])
        case 15: .applied(Samples.applied(["a", "b"][small / 2], small))
        case 16: .confirmPrune(Samples.confirmation(small, of: self.number(below: 3)))
        case 17: .endConfirmation(Samples.object(small))
        case 18: .forgetProbe(instance)
        default: small == 0 ? .audit(Samples.audit(small)) : .event(Samples.event(small, variant: variant))
        }
    }
}

/// Everything that can be read from a store, to compare two of them.
struct StoreContents: Equatable {
    var facts: Facts
    var loads: [InstanceKey]
    var conditions: [ResourceIdentity: [Condition]]
    var commits: [CommitRecord]
    var promotions: [PromotionRecord]
    var events: [Event]
    var audit: [AuditEntry]

    init(of store: any ControlStore) throws {
        self.facts = try store.facts()
        self.loads = try store.unfinishedLoads()
        self.conditions = try store.conditions()
        self.commits = try store.commits(limit: 1000)
        self.promotions = try store.promotions(of: nil, limit: 1000)
        self.events = try store.events(EventQuery(limit: 1000))
        self.audit = try store.audit(limit: 1000)
    }
}
