internal import Foundation
internal import Planning
internal import Schema
internal import Synchronization

extension TensorCompatibility {
    func loadsTwice() throws {
        let (first, second) = (
            try self.openModel(self.models.sumAndDifference), try self.openModel(self.models.sumAndDifference)
        )
        defer { second.close() }
        let sessions = (try first.makeSession(), try second.makeSession())
        defer { sessions.1.close() }
        let expected = try sessions.0.run(Self.pair(1))
        try self.require(try sessions.1.run(Self.pair(1)) == expected, "two loads of one file answer differently")
        sessions.0.close()
        first.close()
        try self.require(try sessions.1.run(Self.pair(1)) == expected, "closing one load disturbed the other")
    }

    /// Others in this process allocate meanwhile. What a model leaves behind is there after each attempt, so the best
    /// counts.
    func unloadGivesMemoryBack() throws {
        let growth = try (0..<5).map { _ in
            let before = self.memoryInUse()
            for _ in 0..<200 { try self.loadAndRun() }
            return self.memoryInUse() - before
        }
        let cost = try self.withSession(of: self.models.large) { model, _ in model.description.weightBytes }
        let least = growth.min() ?? 0
        try self.require(cost > 0, "the model says that it takes no memory")
        try self.require(least < 20 * cost, "200 loads left \(least) bytes behind; one load takes \(cost)")
    }

    private func loadAndRun() throws {
        try self.withSession(of: self.models.large) { model, session in
            let inputs = model.signature.inputs.map { input in
                let shape = (input.shape ?? [1]).map { $0 == -1 ? 1 : $0 }
                let count = (Tensor.count(of: shape) ?? 0) * (input.datatype.width ?? 4)
                return Tensor(
                    name: input.name,
                    datatype: input.datatype,
                    shape: shape,
                    bytes: [UInt8](repeating: 0, count: count)
                )
            }
            _ = try session.run(inputs)
        }
    }

    func wrongFileIsAnError() throws {
        for file in [self.models.wrong, "/no/such/file"] {
            try EngineCompatibility.requireError(["ModelUnreadable"], "the wrong file '\(file)'") {
                _ = try self.openModel(file)
            }
        }
    }

    func unknownOptionIsAnError() throws {
        let options: [String: JSONValue] = ["no-such-option": 1]
        let problems = self.engine.problems(inOptions: options)
        try self.require(problems.map(\.option) == ["no-such-option"], "an unknown option is not named: \(problems)")
        try EngineCompatibility.requireError(["InvalidOption"], "an unknown option") {
            _ = try self.engine.open(ModelOpening(file: self.models.count, options: options))
        }
    }

    func modelIsDescribed() throws {
        func row(_ name: String) -> TensorDescription {
            TensorDescription(name: name, datatype: .fp32, shape: [-1, 3])
        }
        let expected = TensorSignature(inputs: [row("a"), row("b")], outputs: [row("sum"), row("difference")])
        let model = try self.openModel(self.models.sumAndDifference)
        defer { model.close() }
        try self.require(model.signature == expected, "the model is described as \(model.signature)")
        try self.require(model.description.tensors == expected, "its description lacks its tensors")
        try self.require(!model.description.generates, "a model of tensors says that it writes text")
    }

    func sessionsDoNotDisturbEachOther() throws {
        let model = try self.openModel(self.models.sumAndDifference)
        defer { model.close() }
        let starts: [[Float]] = [0, 1].map { thread in (0..<50).map { Float(100 * thread + $0) } }
        let alone = try model.makeSession()
        defer { alone.close() }
        let expected = try starts.map { try $0.map { try alone.run(Self.pair($0)) } }
        let sessions = [try model.makeSession(), try model.makeSession()]
        defer { for session in sessions { session.close() } }
        let trouble = Mutex<String?>(nil)
        DispatchQueue.concurrentPerform(iterations: 2) { thread in
            do {
                let found = try starts[thread].map { try sessions[thread].run(Self.pair($0)) }
                if found != expected[thread] { trouble.withLock { $0 = "another session changed an answer" } }
            } catch {
                trouble.withLock { $0 = "\(error)" }
            }
        }
        let found = trouble.withLock { $0 }
        try self.require(found == nil, found ?? "")
    }

    /// Aborting is fast on every machine; one slow attempt on a busy one proves nothing, so the best of five counts.
    func abortEndsARun() throws {
        let best = try (0..<5).map { _ in try self.timeToAbort() }.min() ?? .zero
        try self.require(best < .milliseconds(50), "aborting took \(best)")
    }

    private func timeToAbort() throws -> Duration {
        try self.withSession(of: self.models.count) { model, session in
            let outcome = Mutex<(error: (any Error)?, end: ContinuousClock.Instant?)>((nil, nil))
            let (started, ended) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            Thread.detachNewThread {
                started.signal()
                do {
                    _ = try session.run([Self.steps(Int64.max)])
                    ended.signal()
                } catch {
                    outcome.withLock { $0 = (error, ContinuousClock.now) }
                    ended.signal()
                }
            }
            started.wait()
            // While another session counts, the first one gets under way.
            let other = try model.makeSession()
            defer { other.close() }
            _ = try other.run([Self.steps(2000)])
            let asked = ContinuousClock.now
            session.abort()
            ended.wait()
            let (error, end) = outcome.withLock { $0 }
            try EngineCompatibility.requireError(["Aborted"], "an aborted run") { if let error { throw error } }
            try EngineCompatibility.requireError(["Aborted"], "a run after an abort") {
                _ = try session.run([Self.steps(1)])
            }
            _ = try other.run([Self.steps(1)])
            return end.map { $0 - asked } ?? .zero
        }
    }

    func closedModelRefuses() throws {
        let model = try self.openModel(self.models.count)
        model.close()
        model.close()
        try EngineCompatibility.requireError(["ModelClosed"], "a closed model") { _ = try model.makeSession() }
    }

    func closedSessionRefuses() throws {
        let model = try self.openModel(self.models.count)
        defer { model.close() }
        let session = try model.makeSession()
        session.close()
        session.close()
        session.abort()
        try EngineCompatibility.requireError(["SessionClosed"], "a closed session") {
            _ = try session.run([Self.steps(1)])
        }
    }

    /// Inputs of the model of sums and differences.
    static func pair(_ start: Float) -> [Tensor] {
        [
            Tensor(name: "a", shape: [2, 3], elements: (0..<6).map { start + Float($0) }),
            Tensor(name: "b", shape: [2, 3], elements: [1, 1, 1, 2, 2, 2] as [Float]),
        ]
    }

    /// The input of the model that counts.
    static func steps(_ count: Int64) -> Tensor {
        Tensor(name: "steps", shape: [], elements: [count])
    }
}
