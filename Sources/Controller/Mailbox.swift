internal import Planning
internal import Synchronization

/// What wakes the loop.
enum LoopEvent: Sendable {
    /// A ref may have moved.
    case sourceMoved
    /// A read of the source ended.
    case sourceRead(Result<SourceReading, any Error>)
    /// Something in the runtime changed by itself.
    case runtimeChanged
    case stepEnded(StepAction, Result<StepOutcome, any Error>)
    /// All steps of a line have ended.
    case lineEnded
    /// Files that nothing needs are gone.
    case pruned
    /// How much there is to do for variants that are scaled by that.
    case demand([VariantID: RequestDemand])
    /// A person changed the facts, or a wait is over.
    case wake
}

/// Collects events for the loop, which takes all of them at once: a hundred wake-ups make one pass.
final class Mailbox: Sendable {
    private let events = Mutex<[LoopEvent]>([])
    let wakeUps: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (self.wakeUps, self.continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func post(_ event: LoopEvent) {
        self.events.withLock { $0.append(event) }
        self.continuation.yield()
    }

    /// Posts several at once.
    func post(_ events: [LoopEvent]) {
        self.events.withLock { $0 += events }
        self.continuation.yield()
    }

    func takeAll() -> [LoopEvent] {
        self.events.withLock { events in
            defer { events = [] }
            return events
        }
    }

    /// Ends the loop.
    func finish() {
        self.continuation.finish()
    }
}
