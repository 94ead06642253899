import Schema
import Testing

struct ContentHasherTests {
    @Test(
        "git's own ids of known blobs",
        arguments: [
            ("", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"), ("hello\n", "ce013625030ba8dba906f756967f9e9ca394464a"),
        ]
    )
    func gitBlob(text: String, expected: String) {
        #expect(Self.hash(text, in: 1, with: .gitBlob(size: Int64(text.utf8.count))) == expected)
    }

    @Test("the pieces do not matter to a SHA-256", arguments: [1, 3, 64, 1000])
    func sha256(piece: Int) {
        let text = String(repeating: "abc", count: 100)
        #expect(Self.hash(text, in: piece, with: .sha256()) == Digest(of: text.utf8).hex)
    }

    private static func hash(_ text: String, in piece: Int, with hasher: ContentHasher) -> String {
        var hasher = hasher
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            rest.prefix(piece).withUnsafeBytes { hasher.update($0) }
            rest = rest.dropFirst(piece)
        }
        return hasher.finish()
    }
}
