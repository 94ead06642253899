internal import Foundation
internal import ManifestYAML
internal import Schema
internal import TestSupport
internal import Testing

/// Manifests with random damage: the reader always comes back, with little memory, and says where the damage is.
@Suite(.timeLimit(.minutes(60))) struct FuzzTests {
    private static let damage = ByteDamage(
        tokens: [
            "---\n", "&a ", "*a", "<<: ", "!!str ", "!x ", "{", "}", "[", "]", "\"", "'", "|\n", ">-\n", "\t", "\r",
            ": ", "- ", "? ", "# ", "$.steps.", "{{#", "}}", "\u{FEFF}", "\u{2028}", "\0", "((((",
            "99999999999999999999", "~", "%",
        ]
    )

    @Test(arguments: FuzzInputs.parts(of: 1_000_000))
    func damagedManifestsNeverBreakTheReader(inputs: FuzzInputs) throws {
        let seeds = try Self.seeds()
        let reader = ManifestReader()
        try inputs.forEach { random in
            let bytes = Self.damage.damaged(random.pick(seeds), &random)
            let text = String(decoding: bytes, as: UTF8.self)
            let file = reader.read(bytes, path: "a.yaml")
            let lines = bytes.reduce(into: 1) { $0 += $1 == 0x0A || $1 == 0x0D ? 1 : 0 }
            for diagnostic in file.diagnostics {
                let isInside = (1...lines).contains(diagnostic.location.line) && diagnostic.location.column >= 1
                try #require(isInside, "\(diagnostic) of \(text)")
                try #require(!diagnostic.message.contains("report it"), "\(text)")
            }
            let isSomething = file.skippedForeignDocuments > 0 || !file.diagnostics.isEmpty || !file.resources.isEmpty
            try #require(isSomething || !text.contains("kind:"), "\(text)")
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
}
