internal import Foundation
package import Planning
package import Schema

/// The test's hand on a scripted engine: what it did, and what it shall do next.
///
/// Decoding runs on threads of their own, so its gate blocks; a test only ever awaits ``wait(until:)``.
package final class ScriptedControl: @unchecked Sendable {  // All state is guarded by `condition`.
    /// Everything that the engine was asked, in order.
    package struct Log: Sendable {
        package var modelsOpened = 0
        package var modelsClosed = 0
        package var sessionsOpened = 0
        package var sessionsClosed = 0
        /// Batches whose computing has begun, the failed and aborted ones too.
        package var batches: [[BatchEntry]] = []
        /// Batches that were computed to their end.
        package var decodesFinished = 0
        /// Runs of models of tensors that have begun.
        package var runs = 0
        /// The parameters of every sampler made.
        package var samplers: [SamplingParameters] = []
        package var tokensSampled = 0
        /// The adapters of every `setAdapters` call.
        package var adapterChanges: [[String]] = []
        package var aborts = 0
        /// Bytes of the models and sessions that are open now.
        package var liveBytes: Int64 = 0

        /// Tokens decoded so far.
        package var tokensDecoded: Int { self.batches.reduce(0) { $0 + $1.count } }
    }

    private struct Waiter {
        var isMet: @Sendable (Log) -> Bool
        var continuation: CheckedContinuation<Void, Never>
    }

    private let condition = NSCondition()
    private var currentLog = Log()
    /// How many decodes may still begin; nil leaves the gate open.
    private var decodesAllowed: Int?
    private var decodeFaults: [MartletError] = []
    private var loadsHeld = false
    private var loadFault: MartletError?
    private var abortedSessions: Set<Int> = []
    private var waiters: [Int: Waiter] = [:]
    private var nextID = 0

    package init() {}

    /// What has happened so far.
    package var log: Log { self.locked { self.currentLog } }

    /// Lets `count` more decodes through and holds the ones after them until released or aborted.
    package func holdDecodes(after count: Int = 0) {
        self.locked { self.decodesAllowed = count }
    }

    /// Opens the gate for all decodes.
    package func releaseDecodes() {
        self.locked { self.decodesAllowed = nil }
    }

    /// Makes the next decode throw; called twice, the next two.
    package func failNextDecode(_ error: MartletError = MartletError("DecodeFailed", "the script says so")) {
        self.locked { self.decodeFaults.append(error) }
    }

    /// Makes every later load throw; nil lets them succeed again.
    package func failLoads(with error: MartletError?) {
        self.locked { self.loadFault = error }
    }

    /// Makes later loads hang until ``releaseLoads()``.
    package func holdLoads() {
        self.locked { self.loadsHeld = true }
    }

    /// Lets the held loads finish.
    package func releaseLoads() {
        self.locked { self.loadsHeld = false }
    }

    /// Suspends until the log meets a condition, or the task is cancelled.
    package func wait(until isMet: @escaping @Sendable (Log) -> Bool) async {
        let id = self.makeID()
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                self.locked { self.waiters[id] = Waiter(isMet: isMet, continuation: continuation) }
                if Task.isCancelled { self.giveUp(id) }
            }
        } onCancel: {
            self.giveUp(id)
        }
    }

    // MARK: What the engine calls

    func makeID() -> Int {
        self.locked {
            self.nextID += 1
            return self.nextID
        }
    }

    func record(_ change: (inout Log) -> Void) {
        self.locked { change(&self.currentLog) }
    }

    func load() throws {
        self.condition.lock()
        defer { self.condition.unlock() }
        while self.loadsHeld { self.condition.wait() }
        if let fault = self.loadFault { throw fault }
    }

    /// Blocks at the gate; throws what the test ordered, or `Aborted`.
    func beginDecode(_ batch: [BatchEntry], session: Int) throws {
        self.locked { self.currentLog.batches.append(batch) }
        try self.passGate(session: session)
    }

    /// The same for a run of tensors, which counts as a decode.
    func beginRun(session: Int) throws {
        self.locked { self.currentLog.runs += 1 }
        try self.passGate(session: session)
    }

    func isAborted(session: Int) -> Bool {
        self.locked { self.abortedSessions.contains(session) }
    }

    private func passGate(session: Int) throws {
        self.condition.lock()
        defer { self.condition.unlock() }
        while self.decodesAllowed == 0, !self.abortedSessions.contains(session) { self.condition.wait() }
        guard !self.abortedSessions.contains(session) else {
            throw MartletError("Aborted", "the session was aborted")
        }
        if let allowed = self.decodesAllowed { self.decodesAllowed = allowed - 1 }
        if !self.decodeFaults.isEmpty { throw self.decodeFaults.removeFirst() }
    }

    func abort(session: Int) {
        self.locked {
            self.abortedSessions.insert(session)
            self.currentLog.aborts += 1
        }
    }

    /// Runs a change, then wakes whoever it concerns: blocked threads at once, waiters outside the lock.
    private func locked<Result>(_ change: () -> Result) -> Result {
        self.condition.lock()
        let result = change()
        let met = self.waiters.filter { $0.value.isMet(self.currentLog) }
        for id in met.keys { self.waiters[id] = nil }
        self.condition.broadcast()
        self.condition.unlock()
        for waiter in met.values { waiter.continuation.resume() }
        return result
    }

    private func giveUp(_ id: Int) {
        let waiter = self.locked { self.waiters.removeValue(forKey: id) }
        waiter?.continuation.resume()
    }
}
