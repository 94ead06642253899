import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Planning
import Schema
import Serving
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// The second at which every test answer is made.
struct FixedClock: WallClock {
    func now() -> Timestamp { Timestamp(milliseconds: 1_750_000_000_000) }
}

/// A data plane with known ids (`id1`, `id2`, …), a still clock and the given endpoints.
func makeDataPlane(_ service: FakeEndpoints, maxBodyBytes: Int = 1 << 20) -> DataPlane {
    let count = Mutex(0)
    return DataPlane(
        service: service,
        defaultNamespace: "default",
        maxBodyBytes: maxBodyBytes,
        identifiers: {
            count.withLock {
                $0 += 1
                return "id\($0)"
            }
        },
        clock: FixedClock(),
        records: MemoryRecordStore(),
        version: "1.2.3"
    )
}

/// The data plane behind a real socket, as it is served.
func makeApplication(_ plane: DataPlane) -> some ApplicationProtocol {
    makeApplication(plane.makeRouter())
}

/// The same with other routes.
func makeApplication(_ router: Router<GatewayContext>) -> some ApplicationProtocol {
    Application(
        router: router,
        server: .noticingHangUps(servesOnEventLoop: true, logger: Logger(label: "test")),
        configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0))
    )
}

/// One answer, with its body as JSON.
struct Reply: Sendable {
    var status: Int
    var headers: HTTPFields
    var text: String

    var json: JSONValue? { try? JSONValue(parsing: self.text) }
    /// `error.code`.
    var code: String? { self.json?["error"]?["code"]?.string }
    /// `error.param`.
    var param: String? { self.json?["error"]?["param"]?.string }
    var message: String { self.json?["error"]?["message"]?.string ?? "" }

    func header(_ name: String) -> String? {
        HTTPField.Name(name).flatMap { self.headers[$0] }
    }

    /// The `data:` payloads of an event stream.
    var events: [String] {
        self.text.split(separator: "\n\n").map { block in
            block.split(separator: "\n").filter { $0.hasPrefix("data: ") }.map { String($0.dropFirst(6)) }.joined()
        }
    }
}

extension TestClientProtocol {
    func send(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ body: String? = nil,
        headers: HTTPFields = [:]
    ) async throws -> Reply {
        try await self.execute(
            uri: path,
            method: method,
            headers: headers,
            body: body.map { ByteBuffer(string: $0) }
        ) { response in
            Reply(
                status: Int(response.status.code),
                headers: response.headers,
                text: String(buffer: response.body)
            )
        }
    }
}

/// One request to a fresh data plane.
func ask(
    _ service: FakeEndpoints,
    _ path: String,
    _ body: String? = nil,
    method: HTTPRequest.Method = .post,
    headers: HTTPFields = [:],
    maxBodyBytes: Int = 1 << 20
) async throws -> Reply {
    try await makeApplication(makeDataPlane(service, maxBodyBytes: maxBodyBytes)).test(.live) { client in
        try await client.send(method, path, body, headers: headers)
    }
}
