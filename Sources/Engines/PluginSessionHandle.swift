internal import CEngine
internal import Schema
internal import Synchronization

/// An open session of a plugin engine, whatever kind its model is of: for the one thread that drives it, but for
/// ``abort()``.
final class PluginSessionHandle: Sendable {
    /// A pointer that may cross threads: the mutex around it and the session's one driver keep them apart.
    private struct Pointer: @unchecked Sendable {  // Guarded by the mutex.
        var session: OpaquePointer?
    }

    private let model: PluginHandle
    private let pointer: Mutex<Pointer>

    /// Opens a session; blocks while it allocates. Throws `ModelClosed`, `SessionFailed`.
    init(of model: PluginHandle) throws {
        let session = Pointer(session: try model.openSession())
        self.model = model
        self.pointer = Mutex(session)
    }

    deinit {
        self.close()
    }

    var table: EngineTable { self.model.table }

    /// The session, for a call on the thread that drives it. Throws `SessionClosed`.
    func session() throws -> OpaquePointer {
        guard let session = self.pointer.withLock({ $0 }).session else {
            throw MartletError("SessionClosed", "the session was closed")
        }
        return session
    }

    /// Makes a running call return soon, and later ones fail.
    func abort() {
        // Under the lock, so that the session cannot be freed meanwhile; the call only sets a flag.
        self.pointer.withLock { pointer in
            if let session = pointer.session { self.table.abortSession(session) }
        }
    }

    /// Gives the session back; done twice equals done once.
    ///
    /// - Parameter before: ends what must end before the session.
    func close(after before: () -> Void = {}) {
        let pointer = self.pointer.withLock { pointer in
            defer { pointer.session = nil }
            return pointer
        }
        guard let session = pointer.session else { return }
        before()
        self.table.closeSession(session)
        self.model.leave()
    }

    /// Makes a call, and throws what it reports; `code` names failures that have no code of their own.
    func checked(_ code: String, _ what: String, _ call: (martlet_error) -> martlet_status) throws {
        do throws(EngineFailure) {
            try EngineFailure.check(call)
        } catch {
            throw error.error(code, what)
        }
    }
}
