internal import Planning
internal import Schema

extension PlanReport {
    /// Bytes that models take, as far as it is known without loading them.
    struct Memory: Encodable, Hashable {
        /// Models that requests have loaded: how much of them is in memory at once depends on who asks.
        struct Lazy: Encodable, Hashable {
            /// How many there are once the plan is done; those that share what is loaded count once.
            var models: Int
            /// What the largest of them takes.
            var largest: Int64
            /// What all of them would take at once.
            var total: Int64
        }

        /// What the models take that stay loaded.
        var before: Int64
        /// The most at any time on the way.
        var peak: Int64
        var after: Int64
        var budget: Int64?
        /// Models that stay loaded and whose manifest names no amount: the size of their files stands in.
        var assumed: [ResourceIdentity]
        /// Nil: there are none.
        var lazy: Lazy?
    }
}

extension PlanReport.Memory {
    /// A model that is loaded once, for however many resources.
    private struct Loaded {
        var model: ResourceIdentity
        var bytes: Int64
        var isDeclared: Bool
        var isLazy: Bool

        init(_ instance: InstanceSpec) {
            self.model = instance.model
            self.bytes = instance.knownBytes
            self.isDeclared = instance.declaredMemory != nil
            self.isLazy = instance.isLazy
        }

        init(_ instance: CheckedManifests.Instance) {
            self.model = instance.model
            self.bytes = instance.bytes
            self.isDeclared = instance.isDeclared
            self.isLazy = instance.isLazy
        }

        /// Which of two speaks for what they share: one that keeps it loaded, else the last one by name, in whatever order
        /// they come.
        static func speaker(_ one: Loaded, _ other: Loaded) -> Loaded {
            if one.isLazy != other.isLazy { return one.isLazy ? other : one }
            return one.model < other.model ? other : one
        }
    }

    /// Follows the plan's steps in their order.
    ///
    /// - Parameter rest: What else is loaded before and after.
    init(_ plan: Plan, base: DesiredState, head: DesiredState, _ rest: CheckedRest, budget: Int64?) {
        let others = Dictionary(rest.instances.map { ($0.key, Loaded($0)) }, uniquingKeysWith: Loaded.speaker)
        var loaded = others.merging(Self.instances(of: base), uniquingKeysWith: Loaded.speaker).filter {
            !$0.value.isLazy
        }
        func bytes() -> Int64 { loaded.values.reduce(0) { $0 + $1.bytes } }
        var seen = loaded
        let before = bytes()
        var peak = before
        for step in plan.steps {
            switch step.action {
            case .load(let instance):
                loaded[instance.key] = Loaded(instance)
                seen[instance.key] = Loaded(instance)
                peak = max(peak, bytes())
            case .unload(let key):
                loaded[key] = others[key].flatMap { $0.isLazy ? nil : $0 }
            case .probe, .beginRollout, .start, .warmUp, .setTraffic, .promote, .advanceRollout, .hold, .liftHold,
                .applySettings, .scale, .drain, .stop, .removeEndpoint, .forget:
                break
            }
        }
        let lazy = others.merging(Self.instances(of: head), uniquingKeysWith: Loaded.speaker).values.filter(\.isLazy)
        self.init(
            before: before,
            peak: peak,
            after: bytes(),
            budget: budget,
            assumed: Set(seen.values.filter { !$0.isDeclared }.map(\.model)).sorted(),
            lazy: lazy.isEmpty
                ? nil
                : Lazy(
                    models: lazy.count,
                    largest: lazy.map(\.bytes).max() ?? 0,
                    total: lazy.reduce(0) { $0 + $1.bytes }
                )
        )
    }

    private static func instances(of desired: DesiredState) -> [InstanceKey: Loaded] {
        let instances = desired.variants.values.lazy.flatMap(\.models).map { ($0.instance.key, Loaded($0.instance)) }
        return Dictionary(instances, uniquingKeysWith: Loaded.speaker)
    }
}

extension PlanReport.Memory {
    /// The most models that are named.
    private static let namedModels = 10

    /// The amounts in words, and what they rest on.
    var sentences: [String] {
        let limit = self.budget.map { " of a budget of \(ByteText.render($0))" } ?? ""
        var sentences = [
            "\(ByteText.render(self.before)) before, \(ByteText.render(self.peak)) at the peak\(limit), "
                + "\(ByteText.render(self.after)) after"
        ]
        if let lazy = self.lazy { sentences.append(self.words(of: lazy)) }
        if !self.assumed.isEmpty {
            let named = self.assumed.prefix(Self.namedModels).map(\.description).joined(separator: ", ")
            let more = self.assumed.count - Self.namedModels
            sentences.append(
                "not measured yet, taken by the size of their files: \(named)" + (more > 0 ? " and \(more) more" : "")
            )
        }
        return sentences
    }

    /// `loaded on demand besides: 20 lazy models, 1 MiB the largest, 20 MiB together; the budget leaves 12 MiB for them`.
    private func words(of lazy: Lazy) -> String {
        let amounts =
            lazy.models == 1
            ? ByteText.render(lazy.total)
            : "\(ByteText.render(lazy.largest)) the largest, \(ByteText.render(lazy.total)) together"
        let sum = "loaded on demand besides: \(Counted.words(lazy.models, "lazy model")), \(amounts)"
        guard let budget = self.budget else { return sum }
        let room = max(budget - self.after, 0)
        if room >= lazy.total { return sum + "; the budget has room for all of them" }
        let rest = "; the budget leaves \(ByteText.render(room)) for them, "
        return sum + rest
            + (room < lazy.largest
                ? "less than the largest takes" : "so that those used least recently make room for others")
    }
}

extension InstanceSpec {
    /// What all copies take together: the manifest's word for each, else the size of the files, which copies share.
    var knownBytes: Int64 {
        if let declared = self.declaredMemory { return declared * Int64(self.copies) }
        return self.artifacts.reduce(0) { $0 + ($1.size ?? 0) }
    }
}
