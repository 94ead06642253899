internal import CEngine
internal import Schema
internal import Synchronization

/// An open model of a plugin engine, whatever kind it is of.
///
/// The memory is given back when the model was closed and its last call and its last session have ended, so a late
/// caller gets an error, never freed memory.
final class PluginHandle: Sendable {
    private struct State {
        var isClosed = false
        /// Calls under way and open sessions.
        var users = 0
    }

    /// A pointer that may cross threads: the ABI allows a model to be used from any of them.
    private struct Pointer: @unchecked Sendable {  // The engine promises that a model's functions are thread-safe.
        let model: OpaquePointer
    }

    let table: EngineTable
    private let pointer: Pointer
    private let state = Mutex(State())

    /// Owns the model from now on.
    init(table: EngineTable, model: OpaquePointer) {
        self.table = table
        self.pointer = Pointer(model: model)
    }

    deinit {
        self.close()
    }

    /// Gives the model to a call, which it outlives. Throws `ModelClosed`.
    func use<Value>(_ body: (OpaquePointer) throws -> Value) throws -> Value {
        let model = try self.enter()
        defer { self.leave() }
        return try body(model)
    }

    /// Opens a session; it calls ``leave()`` when it has closed.
    func openSession() throws -> OpaquePointer {
        let model = try self.enter()
        var session: OpaquePointer?
        do throws(EngineFailure) {
            try EngineFailure.check { self.table.openSession(model, &session, $0) }
        } catch {
            self.leave()
            throw error.error("SessionFailed", "a session cannot be opened")
        }
        guard let session else {
            self.leave()
            throw EngineTable.unusable(self.table.library, "it opened no session and gave no reason")
        }
        return session
    }

    func close() {
        let isLast = self.state.withLock { state in
            let wasOpen = !state.isClosed
            state.isClosed = true
            return wasOpen && state.users == 0
        }
        if isLast { self.table.closeModel(self.pointer.model) }
    }

    /// Ends what ``enter()`` began.
    func leave() {
        let isLast = self.state.withLock { state in
            state.users -= 1
            return state.isClosed && state.users == 0
        }
        if isLast { self.table.closeModel(self.pointer.model) }
    }

    private func enter() throws -> OpaquePointer {
        try self.state.withLock { state in
            guard !state.isClosed else { throw MartletError("ModelClosed", "the model was closed") }
            state.users += 1
        }
        return self.pointer.model
    }

    /// What the model says of itself. Throws `EngineUnusable` when the engine does not say it.
    func describe() throws -> martlet_description {
        var description = martlet_description()
        description.struct_size = UInt32(MemoryLayout<martlet_description>.size)
        let status = try self.use { self.table.describeModel($0, &description) }
        guard status == MARTLET_OK else {
            throw EngineTable.unusable(self.table.library, "it does not describe the model that it opened")
        }
        return description
    }

    /// One of the model's texts; nil where there is none.
    func text(_ which: Int32) -> String? {
        try? self.use { model -> String? in
            let length = self.table.modelText(model, which, nil, 0)
            guard length > 0 else { return nil }
            return withUnsafeTemporaryAllocation(of: CChar.self, capacity: length + 1) { buffer in
                buffer[0] = 0
                _ = self.table.modelText(model, which, buffer.baseAddress, buffer.count)
                return buffer.baseAddress.map { String(cString: $0) }
            }
        }
    }
}
