internal import Planning
internal import Schema

/// Records on their way to the disk, bounded in bytes. Decides who waits; the store does what it says.
struct RecordQueue {
    typealias Waiter = CheckedContinuation<Void, any Error>

    /// One record, and who waits until it is written.
    struct Entry {
        var record: RequestRecord
        var log: EndpointSpec.Log
        var size: Int
        /// Waits for room, or, of a record that must be durable, for the disk.
        var waiter: Waiter?

        init(_ record: RequestRecord, _ log: EndpointSpec.Log, waiter: Waiter? = nil) {
            self.record = record.kept(under: log)
            self.log = log
            self.size = self.record.size
            self.waiter = waiter
        }

        var isDurable: Bool { self.log.durability == .sync }
    }

    /// When the writer must look.
    enum Wake: Int, Comparable {
        case asItIs
        case soon
        case now

        static func < (lhs: Wake, rhs: Wake) -> Bool { lhs.rawValue < rhs.rawValue }
    }

    /// In bytes, of records that were accepted and are not written.
    let limit: Int
    /// So many bytes are written without waiting for more.
    let batch: Int
    private var queue: [Entry] = []
    /// Those for which there was no room, in order.
    private var blocked: [Entry] = []
    private(set) var figures = RecordFigures()
    private(set) var isClosed = false
    /// Attempts to write that failed one after the other.
    private(set) var failuresInARow = 0
    /// Records that came since somebody asked.
    private var arrivals = 0
    private var pendingWake = Wake.asItIs

    init(limit: Int, batch: Int) {
        self.limit = limit
        self.batch = batch
    }

    /// Takes a record, if there is room and nobody before it waits for some. Gives nil where not.
    mutating func accept(_ entry: Entry) -> Wake? {
        guard !self.isClosed, self.blocked.isEmpty, self.hasRoom(for: entry) else { return nil }
        self.append(entry)
        return self.wake(entry.isDurable || self.figures.queuedBytes >= self.batch ? .now : .soon)
    }

    /// Takes a record with its waiter, who is resumed once it is accepted, or written where it must be durable.
    mutating func wait(_ entry: Entry) -> Wake {
        self.figures.waits += 1
        if self.blocked.isEmpty, self.hasRoom(for: entry) { self.append(entry) } else { self.blocked.append(entry) }
        return self.wake(.now)
    }

    /// A record that is larger than all the room there is, is taken alone.
    private func hasRoom(for entry: Entry) -> Bool {
        self.figures.queuedRecords == 0 || self.figures.queuedBytes + entry.size <= self.limit
    }

    private mutating func append(_ entry: Entry) {
        self.queue.append(entry)
        self.figures.queuedRecords += 1
        self.figures.queuedBytes += entry.size
        self.arrivals += 1
    }

    private mutating func wake(_ wanted: Wake) -> Wake {
        guard wanted > self.pendingWake else { return .asItIs }
        self.pendingWake = wanted
        return wanted
    }

    /// The records to write now; they count as queued until ``written(_:)`` or ``giveBack(_:attempts:)``.
    mutating func takeBatch() -> [Entry] {
        self.pendingWake = .asItIs
        var size = 0
        let end = self.queue.firstIndex { entry in
            defer { size += entry.size }
            return size >= self.batch
        }
        let batch = self.queue[..<(end ?? self.queue.endIndex)]
        self.queue.removeFirst(batch.count)
        return Array(batch)
    }

    /// The batch is on the disk. Returns whoever need not wait any more.
    mutating func written(_ batch: [Entry], bytes: Int) -> [Waiter] {
        self.failuresInARow = 0
        self.figures.writtenRecords += batch.count
        self.figures.writtenBytes += bytes
        self.forget(batch)
        var waiters = batch.compactMap(\.waiter)
        var place = 0
        while place < self.blocked.count, self.hasRoom(for: self.blocked[place]) {
            var entry = self.blocked[place]
            if !entry.isDurable, let waiter = entry.waiter {
                entry.waiter = nil
                waiters.append(waiter)
            }
            self.append(entry)
            place += 1
        }
        self.blocked.removeFirst(place)
        return waiters
    }

    /// The batch could not be written, and is to be tried again.
    ///
    /// - Parameter attempts: after so many that failed, nobody waits any longer.
    /// - Returns: whoever has to be told that its record is not written; these records are forgotten.
    mutating func giveBack(_ batch: [Entry], attempts: Int) -> [Waiter] {
        self.failuresInARow += 1
        self.figures.failures += 1
        self.queue.insert(contentsOf: batch, at: 0)
        guard self.failuresInARow >= attempts else { return [] }
        let refused = self.queue.filter { $0.waiter != nil }
        self.queue.removeAll { $0.waiter != nil }
        self.forget(refused)
        let waiters = (refused + self.blocked).compactMap(\.waiter)
        self.blocked = []
        self.figures.refused += waiters.count
        return waiters
    }

    private mutating func forget(_ entries: [Entry]) {
        self.figures.queuedRecords -= entries.count
        self.figures.queuedBytes -= entries.reduce(0) { $0 + $1.size }
    }

    /// How many records came since this was asked before.
    mutating func takeArrivals() -> Int {
        defer { self.arrivals = 0 }
        return self.arrivals
    }

    mutating func notePruned(_ count: Int) { self.figures.pruned += count }

    /// Takes no more records. Returns whoever waits for room in vain.
    mutating func close() -> [Waiter] {
        self.isClosed = true
        defer { self.blocked = [] }
        return self.blocked.compactMap(\.waiter)
    }
}
