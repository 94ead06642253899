internal import Foundation
internal import Schema
internal import Synchronization

/// Runs calls that block on threads of their own, and lets a caller leave a call behind that does not come back.
struct BlockingCalls: Sendable {
    let abandonedCalls: AbandonedCalls

    /// A call under way: whoever comes first, its end or its caller's cancellation, decides.
    private enum Phase<Value: Sendable>: Sendable {
        case running(CheckedContinuation<Value, any Error>?)
        case leftBehind
        case ended
    }

    /// Returns what the call returns. When the task is cancelled before that, the call is left behind and counted, and
    /// this throws `LoadAbandoned`.
    ///
    /// - Parameters:
    ///   - name: of the thread.
    ///   - discard: takes, on the call's thread, the result that nobody waits for any more.
    func run<Value: Sendable>(
        _ name: String,
        discard: @escaping @Sendable (Value) -> Void,
        _ call: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        let phase = SharedPhase<Value>()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                guard phase.start(continuation) else {
                    continuation.resume(throwing: MartletError.loadAbandoned)
                    return
                }
                let thread = Thread {
                    let result = Result(catching: call)
                    if let caller = phase.end() {
                        caller.resume(with: result)
                    } else {
                        if case .success(let value) = result { discard(value) }
                        self.abandonedCalls.returnLate()
                    }
                }
                thread.name = name
                thread.start()
            }
        } onCancel: {
            guard let caller = phase.leaveBehind(counting: self.abandonedCalls) else { return }
            caller.resume(throwing: MartletError.loadAbandoned)
        }
    }

    private final class SharedPhase<Value: Sendable>: Sendable {
        private let phase = Mutex(Phase<Value>.running(nil))

        /// Whether the call may start: not when the task was cancelled before.
        func start(_ continuation: CheckedContinuation<Value, any Error>) -> Bool {
            self.phase.withLock { phase in
                guard case .running = phase else { return false }
                phase = .running(continuation)
                return true
            }
        }

        /// The caller to resume, unless it left.
        func end() -> CheckedContinuation<Value, any Error>? {
            self.phase.withLock { phase in
                guard case .running(let caller) = phase else { return nil }
                phase = .ended
                return caller
            }
        }

        /// The caller to resume, when the call was under way.
        func leaveBehind(counting calls: AbandonedCalls) -> CheckedContinuation<Value, any Error>? {
            self.phase.withLock { phase in
                guard case .running(let caller) = phase else { return nil }
                phase = .leftBehind
                if caller != nil { calls.leaveBehind() }
                return caller
            }
        }
    }
}

extension MartletError {
    /// The load's caller was cancelled.
    static var loadAbandoned: MartletError {
        MartletError(
            "LoadAbandoned",
            "the load was cancelled; the engine's call was left behind",
            disposition: .retryable
        )
    }
}
