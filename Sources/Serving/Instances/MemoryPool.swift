internal import Planning
internal import Schema

/// Which instances are in memory, how much of the budget they take, and which of them go when others need their room.
///
/// Pure. What nobody uses stands in a line, the least recently used one first, so that each step costs the same however
/// many instances there are, and each decision as much as it evicts.
struct MemoryPool: Sendable {
    /// Why an instance may not be evicted.
    enum Hold: Sendable, Hashable {
        /// It may.
        case none
        /// Requests use it, or it is being loaded: in a while it may.
        case requests
        /// It is to stay loaded.
        case always
    }

    /// Whether there is room for an instance.
    enum Room: Sendable, Hashable {
        /// It has its room, once these have given theirs back; oldest first.
        case granted(evicting: [Departure])
        /// There is none now, and there will be when requests have ended, or when what is leaving has gone.
        case later
        /// There is none beside what is to stay.
        case never
    }

    /// An instance that is about to give its memory back.
    struct Departure: Sendable, Hashable {
        var key: InstanceKey
        var bytes: Int64
    }

    /// A place of the table. Places are linked to a line by their numbers.
    private struct Place: Sendable {
        var key: InstanceKey
        var bytes: Int64
        var hold: Hold
        var previous = -1
        var next = -1
    }

    /// In bytes; nil: no bound.
    let budget: Int64?
    private var places: [Place?] = []
    private var free: [Int] = []
    private var numbers: [InstanceKey: Int] = [:]
    /// The ends of the line; -1: nobody stands in it.
    private var oldest = -1
    private var newest = -1
    /// Bytes of what is loaded or about to be.
    private(set) var taken: Int64 = 0
    /// Of these, what is to stay.
    private(set) var staying: Int64 = 0
    /// Bytes that are being given back.
    private(set) var leavingBytes: Int64 = 0

    init(budget: Int64?) {
        self.budget = budget
    }

    /// Instances that are loaded or about to be.
    var count: Int { self.numbers.count }

    /// What an instance takes; nil where it is not in memory.
    func bytes(of key: InstanceKey) -> Int64? {
        self.numbers[key].flatMap { self.places[$0]?.bytes }
    }

    /// Takes an instance in that is about to be loaded, and says who has to go first. Nothing changes unless room is
    /// granted. An instance that is in memory has to leave before.
    mutating func admit(_ key: InstanceKey, bytes: Int64, hold: Hold) -> Room {
        guard let budget else {
            self.insert(key, bytes, hold)
            return .granted(evicting: [])
        }
        guard bytes <= budget - self.staying else { return .never }
        guard let evicted = self.evictable(for: self.taken + self.leavingBytes + bytes - budget) else { return .later }
        let departures = evicted.compactMap { self.leave($0) }
        self.insert(key, bytes, hold)
        return .granted(evicting: departures)
    }

    /// Notes what a loaded instance really takes, and says who has to go for it.
    mutating func settle(_ key: InstanceKey, bytes: Int64) -> [Departure] {
        guard let number = self.numbers[key], let place = self.places[number] else { return [] }
        self.taken += bytes - place.bytes
        if place.hold == .always { self.staying += bytes - place.bytes }
        self.places[number]?.bytes = bytes
        guard let budget, self.taken > budget else { return [] }
        // It is in memory already: whatever can be given back is better than nothing.
        var evicted: [Departure] = []
        while self.taken > budget, self.oldest >= 0, let place = self.places[self.oldest] {
            evicted += [self.leave(place.key)].compactMap(\.self)
        }
        return evicted
    }

    /// Says who uses an instance from now on. What nobody uses any more stands last in line.
    mutating func hold(_ key: InstanceKey, _ hold: Hold) {
        guard let number = self.numbers[key], let place = self.places[number], place.hold != hold else { return }
        if place.hold == .always { self.staying -= place.bytes }
        if hold == .always { self.staying += place.bytes }
        if place.hold == .none { self.unlink(number) }
        self.places[number]?.hold = hold
        if hold == .none { self.append(number) }
    }

    /// Notes that an instance is about to give its memory back; nil where it is not in memory.
    mutating func leave(_ key: InstanceKey) -> Departure? {
        guard let number = self.numbers.removeValue(forKey: key), let place = self.places[number] else { return nil }
        if place.hold == .none { self.unlink(number) }
        if place.hold == .always { self.staying -= place.bytes }
        self.taken -= place.bytes
        self.places[number] = nil
        self.free.append(number)
        self.leavingBytes += place.bytes
        return Departure(key: key, bytes: place.bytes)
    }

    /// Notes that an instance has given its memory back.
    mutating func gone(_ departure: Departure) {
        self.leavingBytes -= departure.bytes
    }

    /// Those that have to go for so many bytes; nil when all that may go are not enough.
    private func evictable(for missing: Int64) -> [InstanceKey]? {
        var (keys, missing, number): ([InstanceKey], Int64, Int) = ([], missing, self.oldest)
        while missing > 0 {
            guard number >= 0, let place = self.places[number] else { return nil }
            keys.append(place.key)
            missing -= place.bytes
            number = place.next
        }
        return keys
    }

    private mutating func insert(_ key: InstanceKey, _ bytes: Int64, _ hold: Hold) {
        let place = Place(key: key, bytes: bytes, hold: hold)
        let number = self.free.popLast() ?? self.places.count
        if number == self.places.count { self.places.append(place) } else { self.places[number] = place }
        self.numbers[key] = number
        self.taken += bytes
        if hold == .always { self.staying += bytes }
        if hold == .none { self.append(number) }
    }

    // MARK: The line

    private mutating func append(_ number: Int) {
        self.places[number]?.previous = self.newest
        self.places[number]?.next = -1
        if self.newest >= 0 { self.places[self.newest]?.next = number } else { self.oldest = number }
        self.newest = number
    }

    private mutating func unlink(_ number: Int) {
        guard let place = self.places[number] else { return }
        if place.previous >= 0 { self.places[place.previous]?.next = place.next } else { self.oldest = place.next }
        if place.next >= 0 { self.places[place.next]?.previous = place.previous } else { self.newest = place.previous }
    }
}
