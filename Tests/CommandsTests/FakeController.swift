import Foundation
import Glibc
import Synchronization

/// A Unix socket that answers each HTTP request as a test says, and closes the connection behind the answer.
final class FakeController: Sendable {
    struct Answer: Sendable {
        var status = 200
        var type = "application/json"
        var headers: [String: String] = [:]
        var body: String
    }

    let socket: String
    private let listener: Int32
    private let requests = Mutex<[String]>([])

    /// Listens in a folder of its own; `answer` is given `GET /api/v1/…`, a space and the body.
    init(_ answer: @escaping @Sendable (_ request: String) -> Answer) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("m-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        self.socket = folder.appendingPathComponent("s").path
        self.listener = try FakeController.listen(self.socket)
        let listener = self.listener
        Thread.detachNewThread { [weak self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                let request = FakeController.readRequest(connection)
                self?.requests.withLock { $0.append(request) }
                FakeController.write(answer(request), to: connection)
                close(connection)
            }
        }
    }

    deinit {
        shutdown(self.listener, Int32(SHUT_RDWR))
        close(self.listener)
        // What stays behind is left to the system's own cleaning of temporary files.
        try? FileManager.default.removeItem(at: URL(fileURLWithPath: self.socket).deletingLastPathComponent())
    }

    /// Every request so far, as `answer` was given it.
    var log: [String] { self.requests.withLock { $0 } }

    private static func listen(_ path: String) throws -> Int32 {
        let listener = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0, Glibc.listen(listener, 16) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        return listener
    }

    private static func readRequest(_ connection: Int32) -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let text = String(decoding: bytes, as: UTF8.self)
            if let end = text.firstRange(of: "\r\n\r\n") {
                let head = text[..<end.lowerBound]
                let length =
                    head.split(separator: "\r\n").compactMap { line -> Int? in
                        let halves = line.lowercased().split(separator: ":")
                        return halves.first == "content-length"
                            ? Int(halves[1].trimmingCharacters(in: .whitespaces)) : nil
                    }.first ?? 0
                let body = text[end.upperBound...]
                if body.utf8.count >= length {
                    let line = head.prefix { $0 != "\r\n" }.split(separator: " ").prefix(2).joined(separator: " ")
                    return body.isEmpty ? line : "\(line) \(body)"
                }
            }
            let count = read(connection, &buffer, buffer.count)
            guard count > 0 else { return "" }
            bytes += buffer[..<count]
        }
    }

    private static func write(_ answer: Answer, to connection: Int32) {
        let fields = answer.headers.map { "\($0.key): \($0.value)\r\n" }.joined()
        let head =
            "HTTP/1.1 \(answer.status) X\r\ncontent-type: \(answer.type)\r\n\(fields)connection: close\r\n\r\n"
        let bytes = Array((head + answer.body).utf8)
        _ = send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }
}
