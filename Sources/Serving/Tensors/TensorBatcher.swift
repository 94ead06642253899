/// Decides which requests for tensors of one model run together, and when. Pure.
///
/// Requests of one layout are put together up to the smallest `maxRows` among them, and wait for others no longer than
/// the shortest `maxDelay` among them says, unless every run that there may be is under way. Others run alone, as soon
/// as there may be a run.
struct TensorBatcher: Sendable {
    /// Names one request of its model.
    typealias RequestID = UInt64

    struct Request: Sendable, Hashable {
        var id: RequestID
        var priority: RequestPriority = .normal
        /// What it may be put together with; nil: nothing.
        var joining: Joining?
    }

    /// How a request may be put together with others.
    struct Joining: Sendable, Hashable {
        /// The sizes of a row of each input; equal ones go together.
        var layout: [[Int]]
        /// At least 1. A request with more than `maxRows` runs alone.
        var rows: Int
        /// The most rows of a batch that it is part of.
        var maxRows: Int
        var maxDelay: Duration
    }

    enum Event: Sendable, Hashable {
        case arrived(Request)
        /// A request that waits is no longer wanted.
        case left(RequestID)
        /// A run has ended.
        case ended
        /// How many runs may be under way at once from now on.
        case allowed(Int)
        /// A run has ended, and so many may be under way at once from now on.
        case lost(allowed: Int)
        /// Nothing but that ``wakeUp`` has come.
        case timePassed
    }

    fileprivate struct Waiting: Sendable {
        var request: Request
        /// Its place in the order of arrivals.
        var number: UInt64
        /// When it shall wait for others no longer.
        var runBy: Duration

        /// Whether it goes before another one.
        func precedes(_ other: Waiting) -> Bool {
            (other.request.priority, self.number) < (self.request.priority, other.number)
        }
    }

    /// Requests of one layout, in the order in which they go; those that go with nobody form one of their own.
    fileprivate struct Lane: Sendable {
        var waiting: [Waiting] = []
        var rows = 0
        var maxRows = Int.max
        var runBy = Duration.seconds(Int64.max)

        var isFull: Bool { self.rows >= self.maxRows }
    }

    /// When ``Event/timePassed`` is due; nil while only other events can begin a run.
    private(set) var wakeUp: Duration?
    private var allowed: Int
    private var underWay = 0
    /// By layout; requests that go with nobody stand under nil.
    private var lanes: [[[Int]]?: Lane] = [:]
    private var layouts: [RequestID: [[Int]]?] = [:]
    private var arrivals: UInt64 = 0

    /// - Parameter allowed: how many runs may be under way at once.
    init(allowed: Int) {
        self.allowed = allowed
    }

    /// Takes an event in, and returns the runs that begin now: the requests of each, in order.
    mutating func receive(_ event: Event, at now: Duration) -> [[RequestID]] {
        switch event {
        case .arrived(let request):
            // The usual case: nothing waits, and nothing has to.
            if request.joining == nil, self.layouts.isEmpty, self.underWay < self.allowed {
                self.underWay += 1
                return [[request.id]]
            }
            self.add(request, at: now)
        case .left(let id): self.remove(id)
        case .ended: self.underWay -= 1
        case .allowed(let count): self.allowed = count
        case .lost(let count): (self.underWay, self.allowed) = (self.underWay - 1, count)
        case .timePassed: break
        }
        return self.begin(at: now)
    }

    private mutating func add(_ request: Request, at now: Duration) {
        self.arrivals += 1
        let delay = request.joining?.maxDelay ?? .zero
        let waiting = Waiting(request: request, number: self.arrivals, runBy: now + delay)
        self.layouts[request.id] = .some(request.joining?.layout)
        self.lanes[request.joining?.layout, default: Lane()].add(waiting)
    }

    private mutating func remove(_ id: RequestID) {
        guard let layout = self.layouts.removeValue(forKey: id), var lane = self.lanes[layout] else { return }
        lane.remove { $0.request.id == id }
        self.lanes[layout] = lane.waiting.isEmpty ? nil : lane
    }

    private mutating func begin(at now: Duration) -> [[RequestID]] {
        var runs: [[RequestID]] = []
        while self.underWay < self.allowed, let layout = self.nextLane(at: now), var lane = self.lanes[layout] {
            let batch = layout == nil ? lane.takeOne() : lane.takeBatch()
            for id in batch { self.layouts[id] = nil }
            self.lanes[layout] = lane.waiting.isEmpty ? nil : lane
            self.underWay += 1
            runs.append(batch)
        }
        self.wakeUp = self.underWay < self.allowed ? self.lanes.values.map(\.runBy).min() : nil
        return runs
    }

    /// The lane whose turn it is: of those that wait for nothing, the one whose first request goes first.
    private func nextLane(at now: Duration) -> [[Int]]?? {
        var found: (layout: [[Int]]?, first: Waiting)?
        for (layout, lane) in self.lanes where layout == nil || lane.isFull || lane.runBy <= now {
            guard let first = lane.waiting.first else { continue }
            if let best = found?.first, best.precedes(first) { continue }
            found = (layout, first)
        }
        return found?.layout
    }
}

extension TensorBatcher.Lane {
    fileprivate mutating func add(_ waiting: TensorBatcher.Waiting) {
        var index = self.waiting.endIndex
        while index > 0, waiting.precedes(self.waiting[index - 1]) { index -= 1 }
        self.waiting.insert(waiting, at: index)
        self.count(waiting)
    }

    fileprivate mutating func remove(where isGone: (TensorBatcher.Waiting) -> Bool) {
        self.waiting.removeAll(where: isGone)
        self.recount()
    }

    fileprivate mutating func takeOne() -> [TensorBatcher.RequestID] {
        [self.waiting.removeFirst().request.id]
    }

    /// Takes as many as go together, one at least.
    fileprivate mutating func takeBatch() -> [TensorBatcher.RequestID] {
        var (count, rows, limit) = (0, 0, Int.max)
        for waiting in self.waiting {
            guard let joining = waiting.request.joining else { break }
            let smaller = min(limit, joining.maxRows)
            let (sum, overflows) = rows.addingReportingOverflow(joining.rows)
            guard count == 0 || !overflows && sum <= smaller else { break }
            (count, rows, limit) = (count + 1, sum, smaller)
        }
        defer {
            self.waiting.removeFirst(count)
            self.recount()
        }
        return self.waiting.prefix(count).map(\.request.id)
    }

    private mutating func recount() {
        (self.rows, self.maxRows, self.runBy) = (0, .max, .seconds(Int64.max))
        for waiting in self.waiting { self.count(waiting) }
    }

    private mutating func count(_ waiting: TensorBatcher.Waiting) {
        let joining = waiting.request.joining
        let (sum, overflows) = self.rows.addingReportingOverflow(joining?.rows ?? 0)
        self.rows = overflows ? .max : sum
        self.maxRows = min(self.maxRows, joining?.maxRows ?? .max)
        self.runBy = min(self.runBy, waiting.runBy)
    }
}
