internal import TestSupport
internal import Testing

@testable internal import Engines

/// Events come out whole, however their bytes were cut on the way.
struct EventStreamParserTests {
    static let streams: [(text: String, events: [String])] = [
        ("data: a\n\ndata: b\n\n", ["a", "b"]),
        ("data: a\r\n\r\ndata: b\r\n\r\n", ["a", "b"]),
        ("data: a\r\rdata: b\r\r", ["a", "b"]),
        ("data: a\n\r\ndata: b\r\n\n", ["a", "b"]),
        ("data:a\n\ndata:  b\n\n", ["a", " b"]),
        ("data: one\ndata: two\n\n", ["one\ntwo"]),
        ("data\n\ndata: \n\n", ["", ""]),
        (": comment\nevent: error\nid: 7\nretry: 9\ndata: a\n\n", ["a"]),
        ("database: a\n\nDATA: b\n\n", []),
        ("\n\n\n", []),
        ("data: ä€🦆\n\n", ["ä€🦆"]),
        ("data: the end is missing", ["the end is missing"]),
        ("data: so is\ndata: here\n", ["so is\nhere"]),
        ("", []),
    ]

    private static func events(_ pieces: [[UInt8]], longest: Int = 1000) throws -> [String] {
        var parser = EventStreamParser(longestEvent: longest)
        var events: [String] = []
        for piece in pieces {
            try piece.withUnsafeBytes { try parser.append($0) { events.append(String(decoding: $0, as: UTF8.self)) } }
        }
        try parser.finish { events.append(String(decoding: $0, as: UTF8.self)) }
        return events
    }

    @Test("Every way to cut a stream in two, and byte by byte", arguments: streams.indices)
    func cuts(index: Int) throws {
        let (text, expected) = Self.streams[index]
        let bytes = Array(text.utf8)
        for cut in 0...bytes.count {
            #expect(try Self.events([Array(bytes[..<cut]), Array(bytes[cut...])]) == expected, "cut at \(cut)")
        }
        #expect(try Self.events(bytes.map { [$0] }) == expected)
    }

    static let long: [String] = [
        "data: " + String(repeating: "a", count: 90), ": " + String(repeating: "a", count: 90),
        String(repeating: "data: aaaaaaaaa\n", count: 9),
    ]

    @Test("What grows too long is refused before it ends", arguments: long)
    func refusesWhatGrowsTooLong(text: String) {
        let bytes = Array(text.utf8)
        #expect(throws: EventStreamParser.TooLong.self) {
            _ = try Self.events(
                stride(from: 0, to: bytes.count, by: 7).map { Array(bytes[$0..<min($0 + 7, bytes.count)]) },
                longest: 64
            )
        }
        // A comment that ends where it came is never kept.
        guard text.hasPrefix("data") else { return }
        #expect(throws: EventStreamParser.TooLong.self) {
            _ = try Self.events([bytes + Array("\n\n".utf8)], longest: 64)
        }
    }
}
