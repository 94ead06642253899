internal import Foundation
internal import ManifestYAML
internal import Schema
internal import TestSupport
internal import Testing

/// Manifests with random damage: the reader always comes back, with little memory, and says where the damage is.
@Suite(.timeLimit(.minutes(60))) struct FuzzTests {
    private static let tokens = [
        "---\n", "&a ", "*a", "<<: ", "!!str ", "!x ", "{", "}", "[", "]", "\"", "'", "|\n", ">-\n", "\t", "\r", ": ",
        "- ",
        "? ", "# ", "$.steps.", "{{#", "}}", "\u{FEFF}", "\u{2028}", "\0", "((((", "99999999999999999999", "~", "%",
    ].map { Array($0.utf8) }

    /// Two at a time, 20,000 inputs in all; a million in `make fuzz`.
    @Test(arguments: [42, 43] as [UInt64])
    func damagedManifestsNeverBreakTheReader(seed: UInt64) throws {
        let seeds = try Self.seeds()
        var generator = SeededRandom(seed: seed)
        let reader = ManifestReader()
        let before = Self.residentBytes()
        for round in 0..<Campaign.rounds(10_000, atMost: 500_000) {
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
        // Within `make test` other suites use the same process's memory at the same time.
        if Campaign.isLong {
            let grown = Self.residentBytes() - before
            #expect(grown < 64 << 20, "reading took \(grown >> 20) MiB")
        }
    }

    /// Every valid fixture, and every manifest of the examples and of the starter repository.
    private static func seeds() throws -> [[UInt8]] {
        let fixtures = try Fixture.names(in: "Valid", ending: ".yaml").map { try Fixture.bytes("Valid/\($0).yaml") }
        let examples = ["Examples", "Manifests/starter"].flatMap { folder -> [[UInt8]] in
            let root = URL(filePath: FaultyEngine.repository()).appending(path: folder)
            let files = FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil)?.allObjects ?? []
            return files.compactMap { $0 as? URL }.filter { $0.pathExtension == "yaml" }
                .sorted { $0.path < $1.path }
                .compactMap { try? Data(contentsOf: $0) }.map { Array($0) }
        }
        try #require(fixtures.count > 5 && examples.count > 5)
        return fixtures + examples
    }

    /// The most memory that this process has had resident.
    private static func residentBytes() -> Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss * 1024
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
