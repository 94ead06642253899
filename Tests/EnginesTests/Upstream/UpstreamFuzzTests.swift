internal import NIOCore
internal import NIOHTTP1
internal import Planning
internal import Schema
internal import Synchronization
internal import TestSupport
internal import Testing

@testable internal import Engines

/// Answers of servers with random damage: the reader always comes back, ends an answer once at most, and blames the
/// server.
@Suite(.timeLimit(.minutes(60)))
struct UpstreamFuzzTests {
    private static let seeds = [
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"Hi\"}}]}\r\n\r\n"
            + "data: {\"choices\":[{\"delta\":{\"content\":\" ä\"},\"finish_reason\":\"stop\"}]}\n\n"
            + "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":3}}\n\ndata: [DONE]\n\n",
        "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"f\","
            + "\"arguments\":\"{}\"}}]},\"finish_reason\":\"tool_calls\"}]}\n\n",
        "{\"choices\":[{\"index\":0,\"message\":{\"content\":\"Hi\"},\"finish_reason\":\"length\",\"logprobs\":{\"content\":"
            + "[{\"token\":\"Hi\",\"logprob\":-0.25,\"bytes\":[72,105],\"top_logprobs\":[]}]}}],\"usage\":null}",
        "{\"choices\":[{\"text\":\"Hi\",\"finish_reason\":\"stop\",\"logprobs\":{\"tokens\":[\"Hi\"],\"token_logprobs\":"
            + "[-1],\"top_logprobs\":[{\"Hi\":-1}]}}]}",
    ].map { Array($0.utf8) }

    private static let damage = ByteDamage(
        tokens: [
            "data: ", "\n\n", "\r", "[DONE]", "null", "{", "}", "[", "]", "\"", ",", ":", "-1e999",
            "99999999999999999999", "\"error\":", "\"choices\":", "\"index\":1", "\\ud800", "\u{FEFF}", "\0",
            "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
        ]
    )

    @Test("A damaged stream of events, the same wherever it is cut", arguments: FuzzInputs.parts(of: 1_000_000))
    func streams(inputs: FuzzInputs) throws {
        let server = try Self.Server("text/event-stream")
        try inputs.forEach { random in
            let bytes = Self.damage.damaged(random.pick(Self.seeds), &random)
            let outcome = try server.outcome(of: bytes) { Int.random(in: 1...$0, using: &random) }
            let again = try server.outcome(of: bytes) { $0 }
            try #require(outcome == again, "\(String(decoding: bytes, as: UTF8.self))")
        }
    }

    @Test("A damaged answer that comes whole", arguments: FuzzInputs.parts(of: 200_000))
    func wholes(inputs: FuzzInputs) throws {
        let server = try Self.Server("application/json")
        try inputs.forEach { random in
            let bytes = Self.damage.damaged(random.pick(Self.seeds), &random)
            _ = try server.outcome(of: bytes) { Int.random(in: 1...$0, using: &random) }
        }
    }

    @Test("A damaged answer with tensors", arguments: FuzzInputs.parts(of: 200_000))
    func tensors(inputs: FuzzInputs) throws {
        let endpoint = try UpstreamEndpoint(.init(url: "http://127.0.0.1:9", model: "m")) { _ in [] }
        let expected = [
            TensorDescription(name: "y", datatype: .fp32, shape: [-1, 2]),
            TensorDescription(name: "z", datatype: .bytes, shape: [-1]),
        ]
        let header = "{\"outputs\":[{\"name\":\"y\",\"datatype\":\"FP32\",\"shape\":[1,2],\"data\":[[1,-2.5e3]]},"
        let seeds = [
            ("\(header){\"name\":\"z\",\"datatype\":\"BYTES\",\"shape\":[1],\"data\":[\"ä\"]}]}", ""),
            (
                "\(header){\"name\":\"z\",\"datatype\":\"BYTES\",\"shape\":[1],\"parameters\":"
                    + "{\"binary_data_size\":6}}]}", "\u{2}\0\0\0hi"
            ),
        ]
        try inputs.forEach { random in
            let (json, binary) = random.pick(seeds)
            let body = Self.damage.damaged(Array("\(json)\(binary)".utf8), &random)
            var head = HTTPResponseHead(version: .http1_1, status: .ok)
            let length = random.oneIn(8) ? Int.random(in: -1...body.count + 1, using: &random) : json.utf8.count
            if !binary.isEmpty || random.oneIn(8) {
                head.headers.add(name: InferenceAnswer.lengthHeader, value: "\(length)")
            }
            do {
                let outputs = try InferenceAnswer.read(body, head, expecting: expected, from: endpoint)
                try #require(outputs.map(\.name) == ["y", "z"] && outputs.allSatisfy { $0.problem == nil })
                try #require(outputs.reduce(0) { $0 + $1.bytes.count } <= 8 * body.count)
            } catch let failure as UpstreamFailure {
                try #require(failure.message.count < 1000, "\(failure.message)")
            }
        }
    }

    /// A server whose answers are made up.
    private struct Server {
        /// What comes out of an answer.
        struct Outcome: Equatable {
            var events: [CompletionEvent] = []
            var failure: String?
        }

        private let head: HTTPResponseHead
        private let endpoint: UpstreamEndpoint
        private let call: OpenAICall

        init(_ contentType: String) throws {
            self.head = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["content-type": contentType])
            self.endpoint = try UpstreamEndpoint(.init(url: "http://127.0.0.1:9/v1", model: "m")) { _ in [] }
            self.call = try OpenAICall(Upstreams.hello)
        }

        /// Reads an answer that comes in pieces; ends it once at most, and says little of what is wrong.
        ///
        /// - Parameter cut: how long the next piece is, of so many bytes.
        func outcome(of bytes: [UInt8], cut: (Int) -> Int) throws -> Outcome {
            let events = Mutex<[CompletionEvent]>([])
            var outcome = Outcome()
            var rest = bytes[...]
            do {
                var reader = try OpenAIAnswerReader(self.head, self.call, from: self.endpoint) { event in
                    events.withLock { $0.append(event) }
                }
                while !rest.isEmpty {
                    let piece = rest.prefix(cut(rest.count))
                    try reader.receive(ByteBuffer(bytes: piece))
                    rest = rest.dropFirst(piece.count)
                }
                try reader.finish()
            } catch let failure as UpstreamFailure {
                try #require(failure.message.count < 1000)
                outcome.failure = failure.message
            }
            outcome.events = events.withLock { $0 }
            let ends = outcome.events.count { if case .finished = $0 { true } else { false } }
            try #require(outcome.failure == nil ? ends == 1 : ends <= 1, "\(outcome)")
            return outcome
        }
    }
}
