internal import Planning
internal import Synchronization

/// What the outside world was told by a controller that may die at any moment: what was said once must stay so.
///
/// An action that was asked for and never answered may have happened or not; what it touches is unknown until the
/// successor is looked at.
final class KillLedger: Sendable {
    /// What is known of a person's hold on an endpoint.
    enum KnownHold: Sendable, Equatable {
        case unknown
        case none
        case held(Hold)
    }

    /// What is known of one endpoint.
    struct Known: Sendable {
        /// What the newest commit asks it to answer with.
        var number = "0"
        /// What each of its revisions was seen to answer with.
        var numbersByRevision: [Revision: String] = [:]
        /// Nil: unknown.
        var suspended: Bool? = false
        var hold = KnownHold.none
        /// What it answered that was no answer, once it had begun to serve.
        var refusals: [String] = []
    }

    /// What the controller was asked to do since the last look, by the unique reason given.
    struct Request: Sendable {
        var reason: String
        /// Nil: there was no answer; else whether it was done.
        var done: Bool?
    }

    struct State: Sendable {
        var endpoints: [String: Known]
        var requests: [Request] = []
        /// The newest event that was seen before the present process began.
        var lastEvent: Int64 = 0
        /// The events after it that were seen, in order.
        var events: [Event] = []
    }

    private let state: Mutex<State>

    init(endpoints: [String]) {
        self.state = Mutex(State(endpoints: Dictionary(uniqueKeysWithValues: endpoints.map { ($0, Known()) })))
    }

    var now: State { self.state.withLock { $0 } }

    func change(_ endpoint: String, _ body: (inout Known) -> Void) {
        self.state.withLock { body(&$0.endpoints[endpoint, default: Known()]) }
    }

    /// Notes a request before it is sent, and returns its place.
    func begin(_ reason: String) -> Int {
        self.state.withLock { state in
            state.requests.append(Request(reason: reason))
            return state.requests.count - 1
        }
    }

    func end(_ request: Int, done: Bool) {
        self.state.withLock { $0.requests[request].done = done }
    }

    /// Notes events that were seen, all those after the last look.
    func saw(_ events: [Event]) {
        self.state.withLock { state in
            if events.count > state.events.count { state.events = events }
        }
    }

    /// Begins anew with what the successor shows.
    func settle(lastEvent: Int64) {
        self.state.withLock { state in
            state.requests = []
            state.events = []
            state.lastEvent = lastEvent
        }
    }
}
