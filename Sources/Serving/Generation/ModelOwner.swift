internal import Planning
internal import Schema
internal import Synchronization

/// Closes a model once its owner wants it closed and nobody uses it any more.
///
/// A session that hangs keeps the model open: the weights that a thread may still read are never taken from it.
final class ModelOwner: Sendable {
    private struct State {
        /// Sessions that are open, and calls under way.
        var users = 0
        var isClosing = false
        var isClosed = false

        /// Whether now is the moment; says so once.
        mutating func mustClose() -> Bool {
            guard self.isClosing, self.users == 0, !self.isClosed else { return false }
            self.isClosed = true
            return true
        }
    }

    /// For the threads of sessions; everyone else calls ``use(_:)``.
    let model: any LanguageModel
    private let state = Mutex(State())

    init(_ model: any LanguageModel) {
        self.model = model
    }

    /// Opens a session; blocks while it allocates. Whoever closes it calls ``sessionClosed()``.
    func makeSession() throws -> any LanguageSession {
        try self.enter()
        do {
            return try self.model.makeSession()
        } catch {
            self.leave()
            throw error
        }
    }

    func sessionClosed() {
        self.leave()
    }

    /// Calls the model, which stays open meanwhile. Throws `Aborted` once it is to be closed.
    func use<Result>(_ body: (any LanguageModel) throws -> Result) throws -> Result {
        try self.enter()
        defer { self.leave() }
        return try body(self.model)
    }

    /// Closes the model now, or when its last user is gone.
    func close() {
        self.closeIfDue { $0.isClosing = true }
    }

    private func enter() throws {
        try self.state.withLock { state in
            guard !state.isClosing else { throw MartletError.aborted }
            state.users += 1
        }
    }

    private func leave() {
        self.closeIfDue { $0.users -= 1 }
    }

    private func closeIfDue(after change: (inout State) -> Void) {
        let mustClose = self.state.withLock { state in
            change(&state)
            return state.mustClose()
        }
        if mustClose { self.model.close() }
    }
}
