internal import Foundation
internal import ManifestYAML
internal import Schema
internal import TestSupport
internal import Testing

/// Manifests with random damage: the reader always comes back, and says where the damage is.
@Suite struct FuzzTests {
    /// `MARTLET_FUZZ=1000000 swift test --filter FuzzTests` runs a long campaign.
    private static let count = ProcessInfo.processInfo.environment["MARTLET_FUZZ"].flatMap { Int($0) } ?? 20_000
    private static let tokens = [
        "---\n", "&a ", "*a", "<<: ", "!!str ", "!x ", "{", "}", "[", "]", "\"", "'", "|\n", ">-\n", "\t", "\r", ": ",
        "- ",
        "? ", "# ", "$.steps.", "{{#", "}}", "\u{FEFF}", "\u{2028}", "\0", "((((", "99999999999999999999", "~", "%",
    ].map { Array($0.utf8) }

    @Test func damagedManifestsNeverBreakTheReader() throws {
        let seeds = try Fixture.names(in: "Valid", ending: ".yaml").map { try Fixture.bytes("Valid/\($0).yaml") }
        var generator = SeededRandom(seed: 42)
        let reader = ManifestReader()
        for round in 0..<Self.count {
            var bytes = seeds[round % seeds.count]
            for _ in 0..<Int.random(in: 1...4, using: &generator) { Self.damage(&bytes, &generator) }
            let file = reader.read(bytes, path: "a.yaml")
            let lines = bytes.reduce(into: 1) { $0 += $1 == 0x0A || $1 == 0x0D ? 1 : 0 }
            for diagnostic in file.diagnostics {
                let isInside = (1...lines).contains(diagnostic.location.line) && diagnostic.location.column >= 1
                #expect(isInside, "\(diagnostic) of \(String(decoding: bytes, as: UTF8.self))")
                #expect(!diagnostic.message.contains("report it"), "\(String(decoding: bytes, as: UTF8.self))")
            }
            let isSomething = file.skippedForeignDocuments > 0 || !file.diagnostics.isEmpty || !file.resources.isEmpty
            #expect(isSomething, "\(String(decoding: bytes, as: UTF8.self))")
        }
    }

    private static func damage(_ bytes: inout [UInt8], _ generator: inout SeededRandom) {
        let place = Int.random(in: 0...bytes.count, using: &generator)
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: bytes.insert(contentsOf: Self.tokens.randomElement(using: &generator) ?? [], at: place)
        case 1: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: place)
        case 2 where place < bytes.count: bytes[place] = UInt8.random(in: 0...255, using: &generator)
        case 3:
            let end = min(bytes.count, place + Int.random(in: 1...12, using: &generator))
            bytes.removeSubrange(place..<end)
        default:
            let end = min(bytes.count, place + Int.random(in: 1...40, using: &generator))
            bytes.insert(contentsOf: Array(bytes[place..<end]), at: Int.random(in: 0...bytes.count, using: &generator))
        }
    }
}
