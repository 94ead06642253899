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

    private static let tokens = [
        "data: ", "\n\n", "\r", "[DONE]", "null", "{", "}", "[", "]", "\"", ",", ":", "-1e999", "99999999999999999999",
        "\"error\":", "\"choices\":", "\"index\":1", "\\ud800", "\u{FEFF}", "\0",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    ].map { Array($0.utf8) }

    /// Two at a time, 20,000 inputs in all; a million in `make fuzz`.
    @Test(arguments: [7, 8] as [UInt64])
    func damagedAnswersNeverBreakTheReader(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let endpoint = try UpstreamEndpoint(.init(url: "http://127.0.0.1:9/v1", model: "m")) { _ in [] }
        let call = try OpenAICall(Upstreams.hello)
        for round in 0..<Campaign.rounds(10_000, atMost: 500_000) {
            var bytes = Self.seeds[round % Self.seeds.count]
            for _ in 0..<Int.random(in: 0...4, using: &random) { Self.damage(&bytes, &random) }
            let ends = Mutex(0)
            let isStream = Bool.random(using: &random)
            let head = HTTPResponseHead(
                version: .http1_1,
                status: .ok,
                headers: ["content-type": isStream ? "text/event-stream" : "application/json"]
            )
            do {
                var reader = try OpenAIAnswerReader(head, call, from: endpoint) { event in
                    if case .finished = event { ends.withLock { $0 += 1 } }
                }
                while !bytes.isEmpty {
                    let count = Int.random(in: 1...bytes.count, using: &random)
                    try reader.receive(ByteBuffer(bytes: bytes.prefix(count)))
                    bytes.removeFirst(count)
                }
                try reader.finish()
                #expect(ends.withLock { $0 } == 1)
            } catch let failure as UpstreamFailure {
                #expect(failure.message.count < 1000)
                #expect(ends.withLock { $0 } <= 1)
            }
        }
    }

    private static func damage(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
        guard !bytes.isEmpty else { return }
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: place)
        case 2: bytes.insert(contentsOf: Self.tokens.randomElement(using: &random) ?? [], at: place)
        default: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...20, using: &random)))
        }
    }
}
