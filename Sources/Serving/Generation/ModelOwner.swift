internal import Planning
internal import Synchronization

/// Closes a model once its owner wants it closed and the last of its sessions is closed.
///
/// A session that hangs keeps the model open: the weights that a thread may still read are never taken from it.
final class ModelOwner: Sendable {
    private struct State {
        var sessions = 0
        var isClosing = false
        var isClosed = false

        /// Whether now is the moment; says so once.
        mutating func mustClose() -> Bool {
            guard self.isClosing, self.sessions == 0, !self.isClosed else { return false }
            self.isClosed = true
            return true
        }
    }

    let model: any LanguageModel
    private let state = Mutex(State())

    init(_ model: any LanguageModel) {
        self.model = model
    }

    /// Opens a session; blocks while it allocates.
    func makeSession() throws -> any LanguageSession {
        self.state.withLock { $0.sessions += 1 }
        do {
            return try self.model.makeSession()
        } catch {
            self.sessionClosed()
            throw error
        }
    }

    func sessionClosed() {
        self.closeIfDue { $0.sessions -= 1 }
    }

    /// Closes the model now, or when its last session is closed.
    func close() {
        self.closeIfDue { $0.isClosing = true }
    }

    private func closeIfDue(after change: (inout State) -> Void) {
        let mustClose = self.state.withLock { state in
            change(&state)
            return state.mustClose()
        }
        if mustClose { self.model.close() }
    }
}
