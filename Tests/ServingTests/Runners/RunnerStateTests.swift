import Testing

@testable import Serving

struct RunnerStateTests {
    private func ready(capacity: Int, replicas: Int) -> RunnerState {
        var state = RunnerState(capacity: capacity)
        _ = state.resize(to: replicas)
        _ = state.becomeReady()
        return state
    }

    @Test("requests go to the least busy replica, then wait in order, then are refused")
    func arrivals() {
        var state = self.ready(capacity: 2, replicas: 2)
        let arrivals = (0..<7).map { state.arrive($0, queueLimit: 2, wasMoved: false) }
        #expect(
            arrivals == [.admitted(0), .admitted(1), .admitted(0), .admitted(1), .waits, .waits, .full]
        )
        #expect(state.inFlight == 4)
        #expect(state.queued == 2)
        #expect(state.leave(3) == [.init(request: 4, replica: 1)])
        #expect(state.leave(5) == [])
        #expect(state.queued == 0)
        #expect(state.leave(0) == [])
        #expect(state.inFlight == 3)
    }

    @Test("a request sent on by a draining runner is never refused for want of room")
    func moved() {
        var state = self.ready(capacity: 1, replicas: 1)
        _ = state.arrive(0, queueLimit: 0, wasMoved: false)
        #expect(state.arrive(1, queueLimit: 0, wasMoved: false) == .full)
        #expect(state.arrive(2, queueLimit: 0, wasMoved: true) == .waits)
    }

    @Test("requests that share a place are let through together, as the newest request says")
    func sharing() {
        var state = self.ready(capacity: 1, replicas: 1)
        let arrivals = (0..<4).map { state.arrive($0, queueLimit: 9, wasMoved: false, sharing: 3) }
        #expect(arrivals == [.admitted(0), .admitted(0), .admitted(0), .waits])
        #expect(state.arrive(4, queueLimit: 9, wasMoved: false, sharing: 5) == .waits)
        #expect(state.leave(0) == [.init(request: 3, replica: 0), .init(request: 4, replica: 0)])
    }

    @Test("the background waits for everybody else")
    func priorities() {
        var state = self.ready(capacity: 1, replicas: 1)
        for (request, priority) in [(0, .normal), (1, .background), (2, .normal), (3, .background), (4, .normal)]
            as [(RunnerState.RequestID, RequestPriority)]
        {
            _ = state.arrive(request, queueLimit: 9, wasMoved: false, priority: priority)
        }
        let order = [0, 2, 4, 1].flatMap { state.leave($0) }.map(\.request)
        #expect(order == [2, 4, 1, 3])
    }

    @Test("only a ready runner takes requests")
    func phases() {
        var state = RunnerState(capacity: 1)
        _ = state.resize(to: 1)
        #expect(state.arrive(0, queueLimit: 1, wasMoved: false) == .moved)
        state.fail("cold")
        #expect(state.phase == .failed("cold"))
        _ = state.becomeReady()
        #expect(state.phase == .failed("cold"))
        state.restart()
        _ = state.becomeReady()
        #expect(state.arrive(1, queueLimit: 1, wasMoved: false) == .admitted(0))
        #expect(state.arrive(2, queueLimit: 1, wasMoved: false) == .waits)
        #expect(state.drain() == [2])
        #expect(state.phase == .draining)
        #expect(state.arrive(3, queueLimit: 1, wasMoved: true) == .moved)
        _ = state.leave(1)
        #expect(state.phase == .drained)
    }

    @Test("a runner that begins over keeps what is under way")
    func restart() {
        var state = self.ready(capacity: 2, replicas: 1)
        _ = state.arrive(0, queueLimit: 1, wasMoved: false)
        _ = state.drain()
        state.restart()
        _ = state.becomeReady()
        #expect(state.inFlight == 1)
        _ = state.leave(0)
        #expect(state.phase == .ready)
    }

    @Test("scaling down retires the least busy replicas, which finish what they have; scaling up seats who waits")
    func resize() {
        var state = self.ready(capacity: 1, replicas: 2)
        _ = (0..<4).map { state.arrive($0, queueLimit: 9, wasMoved: false) }
        _ = state.resize(to: 1)
        #expect(state.replicaCount == 1)
        #expect(state.replicaNumbers.count == 2)
        #expect(state.leave(0) == [] || state.leave(1) == [])
        _ = state.resize(to: 3)
        #expect(state.queued == 0)
        #expect(state.replicaCount == 3)
        _ = [0, 1, 2, 3].map { state.leave($0) }
        #expect(state.inFlight == 0)
        _ = state.resize(to: 0)
        #expect(state.replicaNumbers == [])
    }
}
