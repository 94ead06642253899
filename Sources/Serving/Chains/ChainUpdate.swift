internal import Planning
internal import Schema

/// What a running chain reports: an event for callers, and what only Serving needs to know with it.
struct ChainUpdate: Sendable {
    var event: ChainEvent
    /// Why the model ended, with the ``ChainEvent/stepFinished(_:output:)`` of a prompt step.
    var finishReason: FinishReason?
}
