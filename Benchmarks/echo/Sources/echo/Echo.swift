import Hummingbird
import Logging
import NIOCore

/// A bare server on 127.0.0.1: gives inference requests back as they came, and answers chats with the same text always.
///
/// usage: echo PORT
@main
enum Echo {
    private static let limit = 16 << 20
    /// How many pieces a streamed answer has, and how long each takes to come.
    private static let pieces = 32
    private static let pause = Duration.milliseconds(5)

    static func main() async throws {
        guard CommandLine.arguments.count == 2, let port = Int(CommandLine.arguments[1]) else {
            print("usage: echo PORT")
            return
        }
        let router = Router()
        router.get("/health") { _, _ in HTTPResponse.Status.ok }
        router.post("/v2/models/{model}/infer") { request, _ in
            let body = try await request.body.collect(upTo: Echo.limit)
            return Response(
                status: .ok,
                headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: body)
            )
        }
        router.get("/v1/models") { _, _ in Echo.json(#"{"object":"list","data":[{"id":"mock","object":"model"}]}"#) }
        router.post("/v1/chat/completions") { request, _ in
            let body = try await request.body.collect(upTo: Echo.limit)
            let streams = String(buffer: body).contains(/"stream": ?true/)
            return streams ? Echo.stream() : Echo.json(Echo.completion)
        }
        var logger = Logger(label: "echo")
        logger.logLevel = .error
        let application = Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port)),
            logger: logger
        )
        try await application.runService()
    }

    private static let completion = """
        {"id":"chatcmpl-1","object":"chat.completion","created":1750000000,"model":"mock","choices":[{"index":0,\
        "message":{"role":"assistant","content":"Your parcel is on its way and will arrive on Tuesday."},\
        "logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":11,"total_tokens":23}}
        """

    private static func json(_ text: String) -> Response {
        Response(
            status: .ok,
            headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }

    private static func stream() -> Response {
        Response(
            status: .ok,
            headers: [.contentType: "text/event-stream"],
            body: ResponseBody { writer in
                for number in 0..<Echo.pieces {
                    try await writer.write(Echo.chunk(#"{"content":"\#(number) "}"#, reason: "null"))
                    try await Task.sleep(for: Echo.pause)
                }
                try await writer.write(Echo.chunk("{}", reason: #""stop""#))
                try await writer.write(ByteBuffer(string: "data: [DONE]\n\n"))
                try await writer.finish(nil)
            }
        )
    }

    private static func chunk(_ delta: String, reason: String) -> ByteBuffer {
        ByteBuffer(
            string: """
                data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1750000000,"model":"mock",\
                "choices":[{"index":0,"delta":\(delta),"finish_reason":\(reason)}]}\n\n
                """
        )
    }
}
