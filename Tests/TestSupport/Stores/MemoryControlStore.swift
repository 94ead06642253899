package import Planning
package import Schema
internal import Synchronization

/// A control store that forgets everything with its process, and fails where a test wants it to.
package final class MemoryControlStore: ControlStore {
    private struct State {
        var facts = Facts()
        var loading: Set<InstanceKey> = []
        var conditions: [ResourceIdentity: [Condition]] = [:]
        var commits: [CommitRecord] = []
        var promotions: [PromotionRecord] = []
        var events: [Event] = []
        var newestEvent: Int64 = 0
        var audit: [AuditEntry] = []
        var chain = AuditChain()
    }

    private struct Contents {
        var state = State()
        var writes = 0
        var faults: [Int: MartletError] = [:]
        var outage: MartletError?
    }

    private let eventLimit: Int
    private let contents = Mutex(Contents())

    /// Keeps the newest `eventLimit` events.
    package init(eventLimit: Int = 100_000) {
        self.eventLimit = eventLimit
    }

    /// How many writes were asked for, the failed ones too; empty ones do not count.
    package var writeCount: Int {
        self.contents.withLock { $0.writes }
    }

    /// Makes the write with this number, from 1, fail and change nothing.
    package func failWrite(
        _ number: Int,
        with error: MartletError = MartletError("StateNotWritten", "the test says so", disposition: .retryable)
    ) {
        self.contents.withLock { $0.faults[number] = error }
    }

    /// Makes every write fail from now on; nil ends that.
    package func refuse(with error: MartletError?) {
        self.contents.withLock { $0.outage = error }
    }

    /// Makes the next write fail and change nothing.
    package func failNextWrite() {
        self.failWrite(self.writeCount + 1)
    }

    package func facts() throws -> Facts {
        self.contents.withLock { $0.state.facts }
    }

    package func unfinishedLoads() throws -> [InstanceKey] {
        self.contents.withLock { $0.state.loading.sorted() }
    }

    package func conditions() throws -> [ResourceIdentity: [Condition]] {
        self.contents.withLock { $0.state.conditions }
    }

    @discardableResult
    package func write(_ changes: [FactChange]) throws -> [Event] {
        guard !changes.isEmpty else { return [] }
        return try self.contents.withLock { contents in
            contents.writes += 1
            if let fault = contents.outage ?? contents.faults.removeValue(forKey: contents.writes) { throw fault }
            let before = contents.state.newestEvent
            for change in changes { Self.apply(change, to: &contents.state) }
            let stored = contents.state.events.filter { $0.sequence > before }
            contents.state.events = contents.state.events.suffix(self.eventLimit)
            return stored
        }
    }

    package func events(_ query: EventQuery) throws -> [Event] {
        self.contents.withLock { $0.state.events.filter { query.matches($0) }.suffix(max(0, query.limit)) }
    }

    package func commits(limit: Int) throws -> [CommitRecord] {
        self.contents.withLock { $0.state.commits.suffix(max(0, limit)).reversed() }
    }

    package func promotions(of variant: VariantID?, limit: Int) throws -> [PromotionRecord] {
        self.contents.withLock { contents in
            contents.state.promotions.filter { variant == nil || $0.variant == variant }.suffix(max(0, limit))
                .reversed()
        }
    }

    package func audit(limit: Int) throws -> [AuditEntry] {
        self.contents.withLock { $0.state.audit.suffix(max(0, limit)).reversed() }
    }

    package func verifyAudit() throws -> AuditVerification {
        self.contents.withLock { contents in
            var entries = contents.state.audit.makeIterator()
            return contents.state.chain.verify { entries.next() }
        }
    }

    private static func apply(_ change: FactChange, to state: inout State) {
        switch change {
        case .variant, .forgetVariant, .hold, .liftHold, .suspend, .resume, .probe, .forgetProbe, .crashed,
            .forgiveCrash,
            .loadCutShort, .applied,
            .confirmPrune, .endConfirmation:
            state.facts.apply(change)
        case .beginLoading(let instance):
            state.loading.insert(instance)
        case .endLoading(let instance):
            state.loading.remove(instance)
            state.facts.apply(change)
        case .commit(let record):
            if let index = state.commits.firstIndex(where: { $0.commit.id == record.commit.id }) {
                if state.commits[index].readAt == record.readAt {
                    state.commits[index] = record
                    return
                }
                state.commits.remove(at: index)
            }
            state.commits.append(record)
        case .promotion(let record):
            state.promotions.append(record)
        case .conditions(let resource, let conditions):
            state.conditions[resource] = conditions.isEmpty ? nil : conditions
        case .event(var event):
            state.newestEvent += 1
            event.sequence = state.newestEvent
            state.events.append(event)
        case .audit(let entry):
            state.audit.append(state.chain.append(entry))
        }
    }
}
