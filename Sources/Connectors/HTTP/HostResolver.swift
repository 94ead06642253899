internal import Foundation
internal import Glibc
internal import Planning
internal import Synchronization

/// Finds the addresses of a host.
package struct HostResolver: Sendable {
    /// All of a name's addresses, the best first. Throws ``OutboundFailure``, and `CancellationError` at once when the
    /// task is cancelled, however long the look-up goes on.
    let addresses: @Sendable (_ name: String) async throws -> [IPAddress]

    init(addresses: @escaping @Sendable (_ name: String) async throws -> [IPAddress]) {
        self.addresses = addresses
    }

    /// As the machine is set up: files, then servers.
    package static let system = HostResolver { name in
        let outcome = Outcome()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                guard outcome.begin(continuation) else { return }
                // A thread of its own: servers that do not answer hold it for as long as the system's time-outs say.
                Thread.detachNewThread { outcome.end(Result { try HostResolver.lookUp(name) }) }
            }
        } onCancel: {
            outcome.end(.failure(CancellationError()))
        }
    }

    /// Blocks until the system has an answer.
    private static func lookUp(_ name: String) throws -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(name, nil, &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        guard status == 0 else {
            throw OutboundFailure(
                .unavailable,
                "the host '\(name)' cannot be looked up: \(String(cString: gai_strerror(status)))"
            )
        }
        var addresses: [IPAddress] = []
        var entry = list
        while let next = entry?.pointee {
            if let address = next.ai_addr.flatMap({ HostResolver.address($0, next.ai_addrlen) }) {
                addresses.append(address)
            }
            entry = next.ai_next
        }
        return addresses
    }

    private static func address(_ socket: UnsafeMutablePointer<sockaddr>, _ length: socklen_t) -> IPAddress? {
        let raw = UnsafeRawPointer(socket)
        switch Int32(socket.pointee.sa_family) {
        case AF_INET where Int(length) >= MemoryLayout<sockaddr_in>.size:
            let address = raw.loadUnaligned(as: sockaddr_in.self)
            return IPAddress(bytes: withUnsafeBytes(of: address.sin_addr) { Array($0) })
        case AF_INET6 where Int(length) >= MemoryLayout<sockaddr_in6>.size:
            let address = raw.loadUnaligned(as: sockaddr_in6.self)
            return IPAddress(bytes: withUnsafeBytes(of: address.sin6_addr) { Array($0) })
        default:
            return nil
        }
    }

    /// Gives one look-up's result, or its cancellation, whichever comes first.
    private final class Outcome: Sendable {
        private enum State {
            case open
            case waited(CheckedContinuation<[IPAddress], any Error>)
            case ended
        }

        private let state = Mutex(State.open)

        /// False when it was cancelled before it began.
        func begin(_ continuation: CheckedContinuation<[IPAddress], any Error>) -> Bool {
            let isOpen = self.state.withLock { state in
                guard case .open = state else { return false }
                state = .waited(continuation)
                return true
            }
            if !isOpen { continuation.resume(throwing: CancellationError()) }
            return isOpen
        }

        func end(_ result: Result<[IPAddress], any Error>) {
            let waiting: CheckedContinuation<[IPAddress], any Error>? = self.state.withLock { state in
                defer { state = .ended }
                if case .waited(let continuation) = state { return continuation }
                return nil
            }
            waiting?.resume(with: result)
        }
    }
}
