import Foundation
import Glibc
import Synchronization

/// A TCP port on this machine that treats each request as a test says, on connections that are kept.
final class ScriptedServer: Sendable {
    enum Answer: Sendable {
        /// The bytes of an answer.
        case bytes(String)
        /// No answer, ever.
        case silence
        /// No answer, but the end of the connection.
        case end
    }

    let port: Int
    private let listener: Int32
    private let requests = Mutex<[String]>([])
    private let connections = Mutex(0)

    /// `answer` is given a request's head and body, and how many there were before it.
    init(_ answer: @escaping @Sendable (_ request: String, _ number: Int) -> Answer) throws {
        self.listener = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.port = try Self.listen(self.listener)
        let listener = self.listener
        Thread.detachNewThread { [weak self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                self?.connections.withLock { $0 += 1 }
                Thread.detachNewThread { [weak self] in
                    while let request = Self.read(connection), let answer = self?.answer(request, answer) {
                        switch answer {
                        case .bytes(let text): _ = send(connection, text, text.utf8.count, Int32(MSG_NOSIGNAL))
                        case .silence: continue
                        case .end: shutdown(connection, Int32(SHUT_RDWR))
                        }
                    }
                    close(connection)
                }
            }
        }
    }

    deinit {
        shutdown(self.listener, Int32(SHUT_RDWR))
        close(self.listener)
    }

    var address: String { "http://127.0.0.1:\(self.port)" }

    /// Every request so far, with its head.
    var log: [String] { self.requests.withLock { $0 } }

    /// How many connections there have been.
    var connectionCount: Int { self.connections.withLock { $0 } }

    private func answer(_ request: String, _ answer: (String, Int) -> Answer) -> Answer {
        let number = self.requests.withLock { requests in
            requests.append(request)
            return requests.count - 1
        }
        return answer(request, number)
    }

    private static func listen(_ listener: Int32) throws -> Int {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isThere = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && Glibc.listen(listener, 64) == 0
                    && getsockname(listener, $0, &size) == 0
            }
        }
        guard isThere else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    /// One request with its body; nil at the end of the connection.
    private static func read(_ connection: Int32) -> String? {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while true {
            let text = String(decoding: bytes, as: UTF8.self)
            if let end = text.range(of: "\r\n\r\n") {
                let length = text.firstMatch(of: /content-length: (\d+)/).flatMap { Int($0.1) } ?? 0
                if text[end.upperBound...].utf8.count >= length { return text }
            }
            let count = recv(connection, &piece, piece.count, 0)
            guard count > 0 else { return nil }
            bytes += piece.prefix(count)
        }
    }
}
