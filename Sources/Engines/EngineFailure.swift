internal import CEngine
internal import Schema

/// What an engine's function reported: its status and its sentence.
struct EngineFailure: Error {
    var status: martlet_status
    var message: String

    /// Runs one call of the ABI with a buffer for its sentence, and throws what it reports.
    static func check(_ call: (martlet_error) -> martlet_status) throws(EngineFailure) {
        let failure: EngineFailure? = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { buffer in
            buffer[0] = 0
            let status = call(martlet_error(message: buffer.baseAddress, capacity: buffer.count))
            guard status != MARTLET_OK, let start = buffer.baseAddress else { return nil }
            return EngineFailure(status: status, message: String(cString: start))
        }
        if let failure { throw failure }
    }

    /// The error that people see when `what` failed; `code` names failures that have no code of their own.
    func error(_ code: String, _ what: String) -> MartletError {
        let sentence = self.message.isEmpty ? "the engine gave no reason (status \(self.status))" : self.message
        let message = "\(what): \(sentence)"
        return switch self.status {
        case MARTLET_ABORTED: MartletError("Aborted", message, disposition: .retryable)
        case MARTLET_UNREADABLE: MartletError("ModelUnreadable", message)
        case MARTLET_UNSUPPORTED: MartletError("ModelUnsupported", message)
        case MARTLET_OUT_OF_MEMORY: MartletError("OutOfMemory", message, disposition: .retryable)
        default: MartletError(code, message)
        }
    }
}
