package import Planning
internal import Schema
internal import Synchronization

extension InstancePool {
    /// Makes `spec.copies` copies of an instance ready: opens the model, or changes the number of copies, or replaces a
    /// failed one. A model that was opened must pass its warm-up requests.
    ///
    /// Concurrent calls for one key share one load. A cancelled call leaves a hanging engine call behind: it is
    /// counted, and should it ever return, its model is closed. Throws the engine's own error, `LoadAbandoned`,
    /// `InvalidOption`, `WarmUpFailed`.
    package func load(_ spec: InstanceSpec, opening: ModelOpening, engine: any InferenceEngine) async throws {
        while true {
            switch try self.claim(spec) {
            case .nothingToDo:
                return
            case .lead(let flight, let current):
                // A load may take its time, or hang: whoever watches sees that it goes on.
                self.notify()
                let source = Source(opening: opening, engine: engine)
                return try await self.lead(flight, spec: spec, current: current, source: source)
            case .follow(let flight):
                await flight.hasLanded.wait()
                switch flight.outcome.withLock({ $0 }) {
                case .success: continue
                case .failure(let error) where error.code != MartletError.loadAbandoned.code: throw error
                // The leader was cancelled, not this caller: somebody else leads.
                case .failure, nil: if Task.isCancelled { throw MartletError.loadAbandoned }
                }
            }
        }
    }

    /// Sends the warm-up requests of `spec` through its instance, which may have been loaded for a revision that has
    /// others. Throws `InstanceMissing`, `WarmUpFailed`.
    package func warmUp(_ spec: InstanceSpec) async throws {
        try await self.state.withLock { try Self.servingModel(of: spec.key, in: $0) }.warmUp(spec.warmUp)
    }

    private enum Claim {
        case nothingToDo
        /// This caller loads; `current` is what stands there now.
        case lead(Flight, current: PooledModel?)
        case follow(Flight)
    }

    private func claim(_ spec: InstanceSpec) throws -> Claim {
        try self.state.withLock { state in
            guard !state.isClosed else { throw MartletError.closing }
            var entry = state.entries[spec.key] ?? Entry(spec: spec)
            if let flight = entry.flight { return .follow(flight) }
            entry.spec = spec
            if !spec.isLazy { entry.isEager = true }
            defer { state.replace(entry, of: spec.key) }
            if entry.isServing, entry.readyCopies == spec.copies { return .nothingToDo }
            let flight = entry.demand ?? Flight()
            (entry.flight, entry.demand) = (flight, nil)
            return .lead(flight, current: entry.model)
        }
    }

    /// Carries a load out, and tells its followers how it ended.
    func lead(_ flight: Flight, spec: InstanceSpec, current: PooledModel?, source: Source) async throws {
        do {
            if case .language(let server) = current, server.readyCopies > 0 {
                try await self.blockingCalls.run("martlet-load", discard: { _ in }) {
                    try server.setCopies(spec.copies)
                }
                await self.settle(spec, takes: server.memoryBytes)
            } else if case .tensor(let server) = current, server.readyCopies > 0 {
                server.setCopies(spec.copies)
                await self.settle(spec, takes: server.memoryBytes)
            } else {
                try await self.replace(current, spec: spec, flight: flight, source: source)
            }
            self.land(flight, of: spec.key, source, outcome: .success(()))
        } catch {
            let error = error as? MartletError ?? MartletError("LoadFailed", "\(error)", cause: error)
            self.land(flight, of: spec.key, nil, outcome: .failure(error))
            throw error
        }
    }

    private func replace(
        _ current: PooledModel?,
        spec: InstanceSpec,
        flight: Flight,
        source: Source
    ) async throws {
        self.setModel(nil, isServing: false, of: spec.key, in: flight)
        await current?.close()
        self.giveRoomBack(of: spec.key)
        try await self.makeRoom(for: spec)
        do {
            let model = try await self.open(source.opening, engine: source.engine, spec: spec)
            await self.settle(spec, takes: model.memoryBytes)
            self.watchUpstreams(of: model)
            try await self.install(model, spec: spec, flight: flight)
        } catch {
            self.giveRoomBack(of: spec.key)
            throw error
        }
    }

    /// Warms a model up, and has it take requests.
    private func install(_ model: PooledModel, spec: InstanceSpec, flight: Flight) async throws {
        // In its place before the warm-up, so that a hang in there is noticed.
        var isOurs = self.setModel(model, isServing: false, of: spec.key, in: flight)
        do {
            if isOurs { try await model.warmUp(spec.warmUp) }
        } catch {
            self.setModel(nil, isServing: false, of: spec.key, in: flight)
            await model.close()
            throw error
        }
        isOurs = self.setModel(model, isServing: true, of: spec.key, in: flight)
        if !isOurs {
            await model.close()
            throw MartletError.loadAbandoned
        }
    }

    private func open(
        _ opening: ModelOpening,
        engine: any InferenceEngine,
        spec: InstanceSpec
    ) async throws -> PooledModel {
        let options = try ServingOptions(opening.options)
        var opening = opening
        opening = opening.forEngine
        return try await self.blockingCalls.run("martlet-load", discard: Self.discard) { [opening] in
            switch try engine.open(opening) {
            case .completion(let model): .completion(model)
            case .tensorService(let model): .tensorService(model)
            case .tensor(let model): .tensor(self.server(of: model, copies: spec.copies))
            case .language(let model):
                .language(
                    try LanguageModelServer(
                        model: model,
                        copies: spec.copies,
                        chatTemplate: options.chatTemplate,
                        closeDeadline: self.closeDeadline,
                        clock: self.clock,
                        abandonedCalls: self.blockingCalls.abandonedCalls,
                        onFailure: { [weak self] in self?.notify() }
                    )
                )
            }
        }
    }

    /// Has a model ask its servers how they are for as long as it is open.
    private func watchUpstreams(of model: PooledModel) {
        guard !model.upstreams.isEmpty else { return }
        let changed: @Sendable () -> Void = { [weak self] in self?.notify() }
        _ = self.tasks.start { await model.watchUpstreams(changed) }
    }

    private func server(of model: any TensorModel, copies: Int) -> TensorModelServer {
        TensorModelServer(
            model: model,
            copies: copies,
            workers: self.workers,
            timers: self.timers,
            closeDeadline: self.closeDeadline,
            clock: self.clock,
            abandonedCalls: self.blockingCalls.abandonedCalls,
            onFailure: { [weak self] in self?.notify() }
        )
    }

    private static func discard(_ model: PooledModel) {
        // Nobody waits for a late model any more, so its closing has no other parent than this.
        Task { await model.close() }
    }

    /// Puts a model into a key's entry. Returns false when the pool was closed in the meantime.
    @discardableResult
    private func setModel(_ model: PooledModel?, isServing: Bool, of key: InstanceKey, in flight: Flight) -> Bool {
        self.state.withLock { state in
            guard state.entries[key]?.flight === flight else { return false }
            state.entries[key]?.model = model
            state.entries[key]?.isServing = isServing
            return true
        }
    }

    /// - Parameter source: of a model that was opened: the pool may open it again by itself. What failed goes to the
    ///   controller once more.
    private func land(
        _ flight: Flight,
        of key: InstanceKey,
        _ source: Source?,
        outcome: Result<Void, MartletError>
    ) {
        let room = self.state.withLock { state in
            guard var entry = state.entries[key], entry.flight === flight else { return nil as Latch? }
            (entry.flight, entry.source) = (nil, source)
            switch outcome {
            case .success:
                (entry.failure, entry.description) = (nil, entry.model?.description)
                state.figures.note(flight)
            case .failure(let error): entry.failure = error
            }
            state.replace(entry, of: key)
            return state.takeRoom()
        }
        room?.open()
        flight.land(outcome)
    }
}
