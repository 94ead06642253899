import Schema
import Testing

struct SpellingTests {
    static let known = ["replicas", "rollout", "main", "serve", "Model", "release-1.2"]

    @Test(
        "the nearest word is suggested, and only when it is near",
        arguments: [
            ("replcas", "replicas"), ("Replicas", "replicas"), ("rolluot", "rollout"), ("mian", "main"),
            ("sevre", "serve"), ("model", "Model"), ("release-1.3", "release-1.2"), ("kubernetes", nil), ("", nil),
        ] as [(String, String?)]
    )
    func nearest(word: String, expected: String?) {
        #expect(Spelling.nearest(to: word, among: Self.known) == expected)
    }

    @Test("among equally near words the first in alphabetical order wins")
    func tie() {
        #expect(Spelling.nearest(to: "cat", among: ["hat", "bat", "car"]) == "bat")
    }
}
