import Testing

@testable import Commands

/// Cutting server-sent events out of pieces.
struct EventStreamTests {
    @Test("The events are the same however the bytes come", arguments: [1, 2, 3, 7, 1000])
    func pieces(size: Int) {
        let bytes = Array(": events\n\nid: 7\nevent: x\ndata: {\"a\":\"é\"}\n\ndata: 2\n\n: still here\n\ndata: 3".utf8)
        var stream = EventStream()
        var events: [String] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            let piece = bytes[start..<min(start + size, bytes.count)]
            events += stream.append(piece).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(events == ["{\"a\":\"é\"}", "2"])
    }
}
