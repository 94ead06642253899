package import Planning
internal import Schema
internal import Synchronization

/// A session of the scripted engine of tensors.
package final class ScriptedTensorSession: TensorSession {
    private let model: ScriptedTensorModel
    private let id: Int
    private let isClosed = Mutex(false)

    init(model: ScriptedTensorModel) {
        self.model = model
        self.id = model.control.makeID()
        model.control.record {
            $0.sessionsOpened += 1
            $0.liveBytes += model.description.sessionBytes
        }
    }

    package func run(_ inputs: [Tensor], outputs: [String]) throws -> [Tensor] {
        let wanted = try self.model.signature.check(inputs, outputs: outputs)
        guard !self.isClosed.withLock({ $0 }) else { throw MartletError("SessionClosed", "the session was closed") }
        try self.model.control.beginRun(session: self.id)
        let named = Dictionary(uniqueKeysWithValues: inputs.map { ($0.name, $0) })
        let found = try self.model.script.compute(named) { self.model.control.isAborted(session: self.id) }
        self.model.control.record { $0.decodesFinished += 1 }
        return try wanted.map { output in
            guard var tensor = found[output.name] else {
                throw MartletError("RunFailed", "the script gave no '\(output.name)'")
            }
            tensor.name = output.name
            return tensor
        }
    }

    package func abort() {
        self.model.control.abort(session: self.id)
    }

    package func close() {
        let wasOpen = self.isClosed.withLock { closed in
            defer { closed = true }
            return !closed
        }
        guard wasOpen else { return }
        self.model.control.record {
            $0.sessionsClosed += 1
            $0.liveBytes -= self.model.description.sessionBytes
        }
    }
}
