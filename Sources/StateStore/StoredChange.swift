internal import Dispatch
internal import Planning
internal import Synchronization

/// A change with the JSON of its row, which is made before anything is written: that of many changes on all cores.
struct StoredChange: Sendable {
    /// A graph of a variant.
    enum Graph: Sendable {
        /// Written already, at this place of the variant's.
        case written(Int)
        case new(String)
    }

    let change: FactChange
    let text: String
    /// Of a variant whose graphs are not written like that; nil: nothing is to be done about them.
    let graphs: [Graph]?

    /// - Parameter written: The graphs of the change's variant as they are written, where it is known.
    init(_ change: FactChange, written: [RevisionGraph]?) throws {
        self.change = change
        var graphs: [Graph]?
        switch change {
        case .variant(_, var facts):
            if written != facts.graphs {
                graphs = try facts.graphs.map { graph in
                    try written?.firstIndex(of: graph).map { .written($0) } ?? .new(try StoredJSON.encode(graph))
                }
            }
            facts.graphs = []
            self.text = try StoredJSON.encode(facts)
        case .hold(let hold): self.text = try StoredJSON.encode(hold)
        case .probe(_, let report): self.text = try StoredJSON.encode(report)
        case .applied(let applied): self.text = try StoredJSON.encode(applied)
        case .confirmPrune(let confirmation): self.text = try StoredJSON.encode(confirmation)
        case .commit(let record): self.text = try StoredJSON.encode(record)
        case .promotion(let record): self.text = try StoredJSON.encode(record)
        case .conditions(_, let conditions): self.text = conditions.isEmpty ? "" : try StoredJSON.encode(conditions)
        case .event(let event): self.text = try StoredJSON.encode(event)
        case .forgetVariant, .liftHold, .suspend, .resume, .beginLoading, .endLoading, .loadCutShort, .crashed,
            .forgetProbe, .forgiveCrash, .endConfirmation, .audit:
            self.text = ""
        }
        self.graphs = graphs
    }
}

extension StoredChange {
    /// Fewer changes than this are not worth another thread.
    private static let stripe = 64

    /// Makes the rows of changes, in their order.
    ///
    /// - Parameter written: For each change, the graphs of its variant as they are written by then.
    static func rows(of changes: [FactChange], written: [[RevisionGraph]?]) throws -> [StoredChange] {
        let stripes = (changes.count + self.stripe - 1) / self.stripe
        guard stripes > 1 else { return try zip(changes, written).map { try StoredChange($0, written: $1) } }
        let rows = Mutex<[Result<[StoredChange], any Error>?]>(Array(repeating: nil, count: stripes))
        DispatchQueue.concurrentPerform(iterations: stripes) { number in
            let range = number * self.stripe..<min((number + 1) * self.stripe, changes.count)
            let made = Result { try range.map { try StoredChange(changes[$0], written: written[$0]) } }
            rows.withLock { $0[number] = made }
        }
        return try rows.withLock { try $0.flatMap { try $0?.get() ?? [] } }
    }
}
