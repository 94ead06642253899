internal import Planning

/// Which replica takes which request, and who waits: the decisions of a ``Runner``. Pure.
struct RunnerState: Sendable {
    enum Phase: Sendable, Hashable {
        /// Not warmed up: takes no requests.
        case started
        case ready
        /// Takes no new requests; those under way finish.
        case draining
        /// Drained: nothing is under way.
        case drained
        case failed(String)
    }

    /// Names one request on its runner.
    typealias RequestID = UInt64

    enum Arrival: Sendable, Hashable {
        /// Goes to the replica of this number.
        case admitted(Int)
        case waits
        /// The queue is full.
        case full
        /// The runner takes no requests now; another one may.
        case moved
    }

    struct Grant: Sendable, Hashable {
        var request: RequestID
        var replica: Int
    }

    private struct Replica: Sendable {
        let number: Int
        var inFlight = 0
        /// Scaled away: finishes what it has.
        var isRetired = false
    }

    private(set) var phase = Phase.started
    /// Requests at once that one replica lets through to its models where each has a place of its own; 1 as long as it is
    /// not known.
    private(set) var capacity: Int
    private(set) var isCapacityKnown: Bool
    /// How many requests share a place: those that are put together, or that wait within the model.
    private var sharing = 1
    private var replicas: [Replica] = []
    private var flights: [RequestID: Int] = [:]
    private var waiting: [(request: RequestID, priority: RequestPriority)] = []
    private var nextReplica = 0

    /// - Parameter capacity: nil where a model has to be loaded before it is known.
    init(capacity: Int?) {
        self.capacity = max(1, capacity ?? 1)
        self.isCapacityKnown = capacity != nil
    }

    var inFlight: Int { self.flights.count }
    var queued: Int { self.waiting.count }
    /// Requests on replicas and in the queue.
    var demand: Int { self.flights.count + self.waiting.count }
    /// Requests that wait while there is no replica to wait for.
    var waitingForFirst: Int { self.phase == .ready && self.replicaCount == 0 ? self.waiting.count : 0 }
    /// Replicas that take requests.
    var replicaCount: Int { self.replicas.count { !$0.isRetired } }
    /// The numbers of every replica that has leases.
    var replicaNumbers: [Int] { self.replicas.map(\.number) }
    var requestsUnderWay: [RequestID] { Array(self.flights.keys) }

    /// A new request. One that was sent on by a draining runner is never refused for want of room, nor is one that has to
    /// wait for there to be a first replica.
    ///
    /// - Parameter sharing: how many requests share a place from now on.
    mutating func arrive(
        _ request: RequestID,
        queueLimit: Int,
        wasMoved: Bool,
        priority: RequestPriority = .normal,
        sharing: Int = 1
    ) -> Arrival {
        guard self.phase == .ready else { return .moved }
        self.sharing = max(1, sharing)
        if self.waiting.isEmpty, let replica = self.take(request) { return .admitted(replica) }
        let wakes = self.waiting.isEmpty && self.replicaCount == 0
        guard wasMoved || wakes || self.waiting.count < queueLimit else { return .full }
        let place = self.waiting.lastIndex { $0.priority >= priority }.map { $0 + 1 } ?? 0
        self.waiting.insert((request, priority), at: place)
        return .waits
    }

    /// A request has ended, or waits no longer. Returns those that have their turn now.
    mutating func leave(_ request: RequestID) -> [Grant] {
        if let number = self.flights.removeValue(forKey: request) {
            if let index = self.replicas.firstIndex(where: { $0.number == number }) {
                self.replicas[index].inFlight -= 1
            }
            self.replicas.removeAll { $0.isRetired && $0.inFlight == 0 }
        } else {
            self.waiting.removeAll { $0.request == request }
        }
        if self.phase == .draining, self.flights.isEmpty { self.phase = .drained }
        return self.grant()
    }

    /// Takes note of what the models can work on at once. Returns the requests that have their turn now.
    mutating func learn(capacity: Int) -> [Grant] {
        (self.capacity, self.isCapacityKnown) = (max(1, capacity), true)
        return self.grant()
    }

    /// Sets how many replicas take requests: adds some, or retires the least busy ones.
    mutating func resize(to count: Int) -> [Grant] {
        let active = self.replicas.indices.filter { !self.replicas[$0].isRetired }
        if active.count < count {
            for _ in active.count..<count {
                self.replicas.append(Replica(number: self.nextReplica))
                self.nextReplica += 1
            }
        } else {
            let leastBusy = active.sorted { self.replicas[$0].inFlight < self.replicas[$1].inFlight }
            for index in leastBusy.prefix(active.count - count) { self.replicas[index].isRetired = true }
            self.replicas.removeAll { $0.isRetired && $0.inFlight == 0 }
        }
        return self.grant()
    }

    /// Begins over from a runner that was drained, is draining or failed; what is under way goes on.
    mutating func restart() {
        switch self.phase {
        case .draining, .drained, .failed: self.phase = .started
        case .started, .ready: return
        }
    }

    mutating func becomeReady() -> [Grant] {
        switch self.phase {
        case .started: self.phase = .ready
        case .ready, .draining, .drained, .failed: break
        }
        return self.grant()
    }

    mutating func fail(_ reason: String) {
        if self.phase == .started { self.phase = .failed(reason) }
    }

    /// Takes no more requests. Returns those that waited: they go elsewhere.
    mutating func drain() -> [RequestID] {
        self.phase = self.flights.isEmpty ? .drained : .draining
        defer { self.waiting = [] }
        return self.waiting.map(\.request)
    }

    private mutating func grant() -> [Grant] {
        guard self.phase == .ready else { return [] }
        var grants: [Grant] = []
        while let next = self.waiting.first?.request, let replica = self.take(next) {
            self.waiting.removeFirst()
            grants.append(Grant(request: next, replica: replica))
        }
        return grants
    }

    /// Seats a request on the replica with the fewest under way; nil when all are full.
    private mutating func take(_ request: RequestID) -> Int? {
        // As long as nobody knows the model, one request has it loaded while the others wait.
        let places = self.isCapacityKnown ? self.capacity * self.sharing : self.capacity
        var best: Int?
        for index in self.replicas.indices where !self.replicas[index].isRetired {
            let inFlight = self.replicas[index].inFlight
            guard inFlight < places else { continue }
            if best.map({ inFlight < self.replicas[$0].inFlight }) ?? true { best = index }
        }
        guard let best else { return nil }
        self.replicas[best].inFlight += 1
        self.flights[request] = self.replicas[best].number
        return self.replicas[best].number
    }
}
