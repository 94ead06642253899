internal import Planning
internal import Schema
internal import Synchronization

extension InstancePool.Entry {
    /// Whether it is to stay loaded, whoever needs room: for an eager revision that leases it, or before that one does.
    /// Where lazy ones share it nobody would ever unload it for the sake of an eager revision that does not come.
    var isPinned: Bool { self.eagerLeases > 0 || self.isEager && self.leases == 0 }

    /// Copies that take requests.
    var readyCopies: Int { self.isServing ? self.model?.readyCopies(wanted: self.spec.copies) ?? 0 : 0 }

    /// The model, if it takes requests.
    var readyModel: PooledModel? { self.readyCopies > 0 ? self.model : nil }

    /// Why the last load failed, or else a copy.
    var lastFailure: MartletError? { self.failure ?? self.model?.lastFailure }

    /// What a request is told while it takes none.
    var cannotAnswer: MartletError {
        let reason = self.lastFailure.map { ": \($0.message)" } ?? " and is being loaded"
        return MartletError(
            "InstanceFailed",
            "\(self.spec.model) cannot answer\(reason)",
            disposition: .retryable,
            cause: self.lastFailure
        )
    }

    /// Whether it is only known, as a lazy instance is that nobody asks for.
    var isIdle: Bool {
        self.model == nil && self.flight == nil && self.demand == nil && self.failure == nil
    }

    var hold: MemoryPool.Hold {
        if self.isPinned { return .always }
        return self.uses > 0 || self.flight != nil ? .requests : .none
    }
}

extension InstancePool.State {
    /// Puts an entry back, unless nothing is there any more that anybody wants.
    mutating func replace(_ entry: InstancePool.Entry, of key: InstanceKey) {
        let isUnwanted = entry.model == nil && entry.flight == nil && entry.leases == 0 && entry.uses == 0
        self.entries[key] = isUnwanted ? nil : entry
        self.memory.hold(key, entry.hold)
    }

    mutating func noteHold(of key: InstanceKey) {
        if let entry = self.entries[key] { self.memory.hold(key, entry.hold) }
    }

    /// What those who wait for room wait for; to be opened outside of the lock.
    mutating func takeRoom() -> Latch? {
        defer { self.room = nil }
        return self.room
    }

    /// Takes the models out of their entries that have to go.
    fileprivate mutating func evict(_ departures: [MemoryPool.Departure]) -> InstancePool.Leaving {
        self.figures.evictions += departures.count
        let models = departures.compactMap { departure -> PooledModel? in
            guard var entry = self.entries[departure.key] else { return nil }
            let model = entry.model
            (entry.model, entry.isServing) = (nil, false)
            self.replace(entry, of: departure.key)
            return model
        }
        return InstancePool.Leaving(models: models, departures: departures)
    }
}

extension InstancePool {
    /// Models that are about to be closed, and the memory that they give back by that.
    struct Leaving: Sendable {
        var models: [PooledModel] = []
        var departures: [MemoryPool.Departure] = []
    }

    private enum RoomStep {
        case ready(Leaving)
        case wait(Latch)
    }

    /// Has room taken for an instance that is about to be loaded, and evicts others for it; waits for as long as only
    /// requests are in the way. Throws `InsufficientMemory`, with the numbers.
    func makeRoom(for spec: InstanceSpec) async throws {
        let stopwatch = Stopwatch(self.clock)
        while true {
            switch try self.state.withLock({ try Self.askForRoom(spec, in: &$0) }) {
            case .ready(let leaving): return await self.close(leaving)
            case .wait(let room):
                let left = self.patience - stopwatch.elapsed
                guard left > .zero else {
                    throw self.state.withLock { Self.shortage(spec, in: $0, disposition: .retryable) }
                }
                do {
                    try await withDeadline(left, clock: self.clock) { await room.wait() }
                } catch is DeadlineExceeded {
                    continue
                }
                if Task.isCancelled { throw MartletError.loadAbandoned }
            }
        }
    }

    private static func askForRoom(_ spec: InstanceSpec, in state: inout State) throws -> RoomStep {
        let bytes = self.size(of: spec, in: state)
        let hold = state.entries[spec.key]?.hold ?? .requests
        switch state.memory.admit(spec.key, bytes: bytes, hold: hold) {
        case .granted(let departures):
            return .ready(state.evict(departures))
        case .later:
            let room = state.room ?? Latch()
            state.room = room
            return .wait(room)
        case .never:
            throw self.shortage(spec, in: state, disposition: .waiting)
        }
    }

    private static func shortage(
        _ spec: InstanceSpec,
        in state: State,
        disposition: MartletError.Disposition
    ) -> MartletError {
        let memory = state.memory
        let inUse = memory.taken + memory.leavingBytes - memory.staying
        return MartletError(
            "InsufficientMemory",
            "\(spec.model) takes \(memoryWords(self.size(of: spec, in: state))), and of the memory budget of "
                + "\(memoryWords(memory.budget ?? 0)) \(memoryWords(memory.staying)) are taken by models that stay "
                + "loaded and \(memoryWords(inUse)) by others; make it larger, or have fewer models eager",
            disposition: disposition
        )
    }

    /// Notes what a model takes that was just opened, and evicts others where that is more than was expected.
    func settle(_ spec: InstanceSpec, takes measured: Int64) async {
        let leaving = self.state.withLock { state in
            state.entries[spec.key]?.measured = measured
            return state.evict(state.memory.settle(spec.key, bytes: Self.size(of: spec, in: state)))
        }
        await self.close(leaving)
    }

    /// Closes models that are no longer in their entries, and counts their memory as free after that.
    func close(_ leaving: Leaving) async {
        for model in leaving.models { await model.close() }
        if !leaving.departures.isEmpty { self.noteGone(leaving.departures) }
    }

    /// What an instance takes as far as it is known: its manifest's or its probe's word, or more where the engine
    /// measured more.
    private static func size(of spec: InstanceSpec, in state: State) -> Int64 {
        max(spec.declaredMemory ?? 0, state.entries[spec.key]?.measured ?? 0)
    }

    /// Counts memory as free that was given back, and has those look again who wait for some.
    private func noteGone(_ departures: [MemoryPool.Departure]) {
        let room = self.state.withLock { state in
            for departure in departures { state.memory.gone(departure) }
            return state.takeRoom()
        }
        room?.open()
    }

    /// Gives back what was taken for an instance, if anything was.
    func giveRoomBack(of key: InstanceKey) {
        if let departure = self.state.withLock({ $0.memory.leave(key) }) { self.noteGone([departure]) }
    }
}
