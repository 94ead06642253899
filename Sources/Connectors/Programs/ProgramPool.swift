internal import Planning
internal import Schema
internal import Subprocess
internal import Synchronization

/// The children of one program: a few, started when they are needed, each asked one thing at a time.
final class ProgramPool: Sendable {
    /// The most children of one program.
    static let size = 4
    /// The longest wait before a child is started after others ended badly.
    private static let longestWait = Duration.milliseconds(800)
    /// The most bytes of one line, to a child or from it.
    static let lineLimit = 1 << 20

    fileprivate struct State {
        var idle: [WarmChild] = []
        var busy: [ObjectIdentifier: WarmChild] = [:]
        /// How often in a row a child has ended when it should not have.
        var failures = 0
        var isClosed = false
    }

    private let words: String
    private let start: @Sendable () -> WarmChild
    private let clock: any Clock<Duration>
    private let turns = Turns(count: ProgramPool.size)
    private let state = Mutex(State())
    private let numbers = Atomic<UInt64>(0)

    /// - Parameter words: The program, for people.
    init(words: String, clock: any Clock<Duration>, start: @escaping @Sendable () -> WarmChild) {
        self.words = words
        self.clock = clock
        self.start = start
    }

    /// Has a child answer. Throws ``OutboundFailure`` and `CancellationError`.
    func call(_ input: JSONValue) async throws -> JSONValue {
        let number = Int64(self.numbers.add(1, ordering: .relaxed).newValue)
        let line = Array(JSONValue.object(["id": .integer(number), "input": input]).canonicalJSON.utf8)
        guard line.count <= Self.lineLimit else {
            throw OutboundFailure(.invalidInput, "the input of \(self.words) has more than \(Self.lineLimit) bytes")
        }
        return try await self.turns.take {
            let child = try await self.take()
            do {
                let answer = try self.read(try await child.ask(line), number)
                self.giveBack(child, works: true)
                return try answer.get()
            } catch let failure as WarmChild.Failure {
                self.giveBack(child, works: false)
                throw try self.failure(failure)
            } catch let failure as OutboundFailure where failure.kind == .invalidAnswer {
                // Whatever comes next could be the answer to anything.
                self.giveBack(child, works: false)
                throw failure
            } catch is CancellationError {
                self.forget(child)
                throw CancellationError()
            }
        }
    }

    /// Ends all children; nothing is started any more.
    func close() {
        let children = self.state.withLock { state in
            state.isClosed = true
            return state.idle + Array(state.busy.values)
        }
        for child in children { child.kill() }
    }

    /// One that is warm, or a new one; after some that ended badly only in a while.
    private func take() async throws -> WarmChild {
        let failures = self.state.withLock { $0.failures }
        let warm = self.state.withLock { $0.takeIdle() }
        if let warm { return warm }
        if failures > 0 {
            // Far less than calls may take: one that waits longer than it has would never start the child that works.
            let wait = min(Duration.milliseconds(50) * (1 << min(failures - 1, 8)), Self.longestWait)
            try await self.clock.sleep(for: wait)
        }
        let child = self.start()
        let isOpen = self.state.withLock { state in
            state.busy[ObjectIdentifier(child)] = child
            return !state.isClosed
        }
        guard isOpen else {
            self.forget(child)
            throw OutboundFailure(.unavailable, "\(self.words) belongs to no revision any more")
        }
        return child
    }

    private func giveBack(_ child: WarmChild, works: Bool) {
        guard works else {
            self.state.withLock { $0.failures += 1 }
            self.forget(child)
            return
        }
        let isOpen = self.state.withLock { state in
            state.failures = 0
            state.busy[ObjectIdentifier(child)] = nil
            if !state.isClosed { state.idle.append(child) }
            return !state.isClosed
        }
        if !isOpen { child.kill() }
    }

    private func forget(_ child: WarmChild) {
        self.state.withLock { _ = $0.busy.removeValue(forKey: ObjectIdentifier(child)) }
        child.kill()
    }

    /// What an answer's line says: an output, or that the program refuses the call.
    private func read(_ line: [UInt8], _ number: Int64) throws -> Result<JSONValue, OutboundFailure> {
        func invalid(_ problem: String) -> OutboundFailure {
            let start = String(decoding: line.prefix(100), as: UTF8.self)
            return OutboundFailure(
                .invalidAnswer,
                "\(self.words) \(problem): '\(start)'; its standard output is for answers alone, print anything else to "
                    + "the standard error"
            )
        }
        guard let answer = try? JSONValue(parsing: line), answer.object != nil else {
            throw invalid("wrote a line that is no JSON object")
        }
        guard answer["id"] == .integer(number) else { throw invalid("answered without the id of its request") }
        if let error = answer["error"], error != .null {
            let said = error.string ?? error.canonicalJSON
            return .failure(OutboundFailure(.rejected, "\(self.words) says: \(said.prefix(1000))"))
        }
        guard let output = answer["output"] else { throw invalid("answered with neither 'output' nor 'error'") }
        return .success(output)
    }

    private func failure(_ failure: WarmChild.Failure) throws -> OutboundFailure {
        switch failure {
        case .notStarted(let problem):
            return OutboundFailure(
                problem.isForbidden ? .refused : .misconfigured,
                "\(self.words): \(problem)" + (problem.isForbidden ? ProgramHost.advice : "")
            )
        case .ended(let end, let errors):
            return OutboundFailure(.unavailable, "\(self.words) \(end) before it answered\(Self.quote(errors))")
        case .excess(let problem, let errors):
            return OutboundFailure(.invalidAnswer, "\(self.words) \(problem)\(Self.quote(errors))")
        case .killed:
            if Task.isCancelled { throw CancellationError() }
            return OutboundFailure(.unavailable, "\(self.words) was stopped")
        }
    }

    /// The end of what a child complained about.
    private static func quote(_ errors: String) -> String {
        let lines = errors.split(whereSeparator: \.isNewline).suffix(3)
        return lines.isEmpty ? "" : ": " + String(lines.joined(separator: " | ").suffix(1000))
    }
}

extension ProgramPool.State {
    /// The one that was used last, of those that have not ended meanwhile.
    fileprivate mutating func takeIdle() -> WarmChild? {
        while let child = self.idle.popLast() {
            guard child.isAlive else { continue }
            self.busy[ObjectIdentifier(child)] = child
            return child
        }
        return nil
    }
}
