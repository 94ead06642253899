import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Serving
import Synchronization
import Testing

@testable import Gateway

@Suite(.timeLimit(.minutes(1)))
struct LargeBodyTests {
    @Test("only a request with a large body leaves its connection's thread", arguments: [10, 100_000])
    func placement(length: Int) async throws {
        let places = Mutex<[Bool]>([])
        let service = FakeEndpoints(text: { call in
            places.withLock { $0.append(call.executor != nil) }
            return FakeEndpoints.stream(["Hello"])
        })
        let text = String(repeating: "x", count: length)
        let body = #"{"model": "desk", "messages": [{"role": "user", "content": "\#(text)"}]}"#
        try await makeApplication(makeDataPlane(service)).test(.live) { client in
            try await client.execute(
                uri: ChatRoutesTests.path,
                method: .post,
                headers: [.contentLength: String(body.utf8.count)],
                body: ByteBuffer(string: body)
            ) { #expect($0.status == .ok) }
        }
        #expect(places.withLock { $0 } == [length < LargeBodyMiddleware.limit])
    }

    @Test("only a large answer is written off its connection's thread", arguments: [10, 100_000])
    func answers(size: Int) async throws {
        let router = Router(context: GatewayContext.self)
        router.get("/") { _, context in
            let isAtHome = try await context.encode(size) {
                withUnsafeCurrentTask { $0?.unownedTaskExecutor == context.executor?.asUnownedTaskExecutor() }
            }
            return "\(isAtHome)"
        }
        try await makeApplication(router).test(.live) { client in
            try await client.execute(uri: "/", method: .get) { reply in
                #expect(String(buffer: reply.body) == "\(size < LargeBodyMiddleware.limit)")
            }
        }
    }

    @Test("a request that does not say how long it is may be large")
    func unknownLength() {
        func request(_ headers: HTTPFields) -> Request {
            let head = HTTPRequest(method: .post, scheme: nil, authority: nil, path: "/", headerFields: headers)
            return Request(head: head, body: RequestBody(buffer: ByteBuffer()))
        }
        #expect(LargeBodyMiddleware.mayBeLarge(request([.transferEncoding: "chunked"])))
        #expect(LargeBodyMiddleware.mayBeLarge(request([.contentLength: "65537"])))
        #expect(!LargeBodyMiddleware.mayBeLarge(request([.contentLength: "65536"])))
        #expect(!LargeBodyMiddleware.mayBeLarge(request([:])))
    }
}
