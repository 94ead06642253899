package import Planning
internal import Schema
internal import Synchronization

/// A model of the scripted engine of tensors; its weights are a number that its control counts.
package final class ScriptedTensorModel: TensorModel {
    package let description: ModelDescription
    package let signature: TensorSignature
    let script: ScriptedTensorEngine.Script
    let control: ScriptedControl
    private let isClosed = Mutex(false)

    init(script: ScriptedTensorEngine.Script, control: ScriptedControl) {
        self.script = script
        self.signature = script.signature
        self.control = control
        self.description = ModelDescription(
            architecture: "scripted",
            weightBytes: 100_000,
            sessionBytes: 1_000,
            tensors: script.signature
        )
        let bytes = self.description.weightBytes
        control.record {
            $0.modelsOpened += 1
            $0.liveBytes += bytes
        }
    }

    package func makeSession() throws -> any TensorSession {
        guard !self.isClosed.withLock({ $0 }) else { throw MartletError("ModelClosed", "the model was closed") }
        return ScriptedTensorSession(model: self)
    }

    package func close() {
        let wasOpen = self.isClosed.withLock { closed in
            defer { closed = true }
            return !closed
        }
        guard wasOpen else { return }
        self.control.record {
            $0.modelsClosed += 1
            $0.liveBytes -= self.description.weightBytes
        }
    }
}
