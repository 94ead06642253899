package import Planning
package import Schema
internal import Synchronization

extension InstancePool {
    /// What a request that comes for an instance finds.
    private enum Entrance {
        case model(PooledModel)
        /// Somebody has it loaded, be it for an eager revision.
        case wait(Flight)
        /// It was evicted: it is brought back.
        case bringBack(Flight, InstanceSpec, Source)
        /// It was never loaded: the controller is to do that.
        case demand(Flight)
    }

    /// Does something with the model of an instance, which is not evicted meanwhile. One that is not loaded is loaded
    /// first, once for however many requests.
    ///
    /// - Parameter signal: ends the wait for the load, with its ``EarlyEnd``; from then on the body listens to it.
    ///
    /// Throws `InstanceMissing`, `InstanceFailed`, and `ModelNotLoaded` with the reason.
    func withModel<Result: Sendable>(
        of key: InstanceKey,
        until signal: EndSignal? = nil,
        _ body: (PooledModel) async throws -> Result
    ) async throws -> Result {
        let model = try await self.beginUse(of: key, until: signal)
        defer { self.endUse(of: key) }
        return try await body(model)
    }

    /// What the model of an instance says of itself; it is loaded for that only if it never was.
    func describe(_ key: InstanceKey, until signal: EndSignal? = nil) async throws -> ModelDescription {
        if let known = self.description(of: key) { return known }
        return try await self.withModel(of: key, until: signal) { $0.description }
    }

    /// The model of an instance, which is not evicted before ``endUse(of:)``.
    func beginUse(of key: InstanceKey, until signal: EndSignal? = nil) async throws -> PooledModel {
        var isCounted = false
        do {
            while true {
                switch try self.state.withLock({ try self.enter(key, &isCounted, in: &$0) }) {
                case .model(let model): return model
                case .wait(let flight): try await self.wait(for: flight, of: key, until: signal)
                case .demand(let flight):
                    self.notify()
                    try await self.wait(for: flight, of: key, until: signal)
                case .bringBack(let flight, let spec, let source):
                    self.bringBack(spec, from: source, in: flight)
                    try await self.wait(for: flight, of: key, until: signal)
                }
            }
        } catch {
            if isCounted { self.endUse(of: key) }
            throw error
        }
    }

    func endUse(of key: InstanceKey) {
        let now = self.wallClock?.now()
        let room = self.state.withLock { state in
            guard let place = state.entries.index(forKey: key) else { return nil as Latch? }
            state.entries.values[place].uses -= 1
            guard state.entries.values[place].uses == 0 else { return nil }
            state.entries.values[place].lastUsed = now
            guard !state.entries.values[place].isPinned else { return nil }
            state.replace(state.entries.values[place], of: key)
            return state.takeRoom()
        }
        room?.open()
    }

    /// Tells the requests that wait for an instance's first load why there is none; later ones are told at once, until
    /// it is loaded after all. Nothing happens to an instance that is loaded or being loaded.
    package func refuse(_ key: InstanceKey, because error: MartletError) {
        let demand = self.state.withLock { state in
            guard let entry = state.entries[key], entry.model == nil, entry.flight == nil else { return nil as Flight? }
            state.entries[key]?.failure = error
            state.entries[key]?.demand = nil
            return entry.demand
        }
        demand?.land(.failure(error))
    }

    /// Brings evicted instances back, and watches over the upstreams of models, until the task is cancelled or the pool is
    /// shut down: both outlive the calls that begin them.
    package func runTasks() async {
        await self.tasks.run()
    }

    private func enter(_ key: InstanceKey, _ isCounted: inout Bool, in state: inout State) throws -> Entrance {
        guard let place = state.entries.index(forKey: key) else {
            return .model(try Self.servingModel(of: key, in: state))
        }
        let entry = state.entries.values[place]
        let model = entry.readyModel
        if model == nil, entry.isPinned, entry.flight == nil { throw entry.cannotAnswer }
        if !isCounted {
            isCounted = true
            state.entries.values[place].uses += 1
            if entry.uses == 0, !entry.isPinned { state.memory.hold(key, .requests) }
        }
        if let model { return .model(model) }
        if let flight = entry.flight ?? entry.demand { return .wait(flight) }
        if let failure = entry.lastFailure { throw Self.notLoaded(entry.spec, failure) }
        guard !state.isClosed else { throw Self.notLoaded(entry.spec, .closing) }
        guard let source = entry.source else {
            let demand = Flight()
            state.entries.values[place].demand = demand
            return .demand(demand)
        }
        let flight = Flight(swapIn: Stopwatch(self.clock))
        state.entries.values[place].flight = flight
        return .bringBack(flight, entry.spec, source)
    }

    /// Opens a model again that was loaded before. Whoever waits for it may leave: it is there for the next one.
    private func bringBack(_ spec: InstanceSpec, from source: Source, in flight: Flight) {
        let load = self.tasks.start {
            do {
                try await self.lead(flight, spec: spec, current: nil, source: source)
            } catch {
                // Those who wait are told by the flight. The controller tries again.
                self.notify()
            }
        }
        if load == nil { flight.land(.failure(.closing)) }
    }

    private func wait(for flight: Flight, of key: InstanceKey, until signal: EndSignal?) async throws {
        let landing = { @Sendable [patience, clock] in
            try await withDeadline(patience, clock: clock) { await flight.hasLanded.wait() }
        }
        do {
            if let signal { try await signal.ending(landing) } else { try await landing() }
        } catch is DeadlineExceeded {
            throw MartletError(
                "ModelNotLoaded",
                "the model is not loaded yet, after \(self.patience.components.seconds) s; try again later",
                disposition: .retryable
            )
        }
        switch flight.outcome.withLock({ $0 }) {
        case .success: return
        case .failure(let error):
            guard let spec = self.state.withLock({ $0.entries[key]?.spec }) else { throw error }
            throw Self.notLoaded(spec, error)
        case nil: throw CancellationError()
        }
    }

    private static func notLoaded(_ spec: InstanceSpec, _ reason: MartletError) -> MartletError {
        MartletError(
            "ModelNotLoaded",
            "\(spec.model) could not be loaded: \(reason)",
            disposition: reason.disposition,
            cause: reason
        )
    }
}

extension MartletError {
    /// The process ends.
    static var closing: MartletError {
        MartletError("ShuttingDown", "the process is shutting down; nothing is loaded any more")
    }
}
