internal import Schema
internal import Testing

@Suite struct NearestWordTests {
    @Test(
        arguments: [
            ("replcas", "replicas"), ("Replicas", "replicas"), ("srevers", "servers"), ("canry", "canary"),
            ("modle", "model"),
            ("chian", "chain"), ("ur", "uri"), ("urls", "url"), ("strategie", "strategy"),
        ] as [(String, String)]
    )
    func findsWhatWasMeant(word: String, meant: String) {
        let words = ["replicas", "servers", "canary", "model", "chain", "uri", "url", "strategy", "x"]
        #expect(NearestWord.to(word, among: words) == meant)
        #expect(NearestWord.hint(for: word, among: words) == "; did you mean '\(meant)'?")
    }

    @Test(arguments: ["colour", "", "q", "zzzz", String(repeating: "replicas", count: 20)])
    func saysNothingWhereNothingIsNear(word: String) {
        #expect(NearestWord.to(word, among: ["replicas", "chain", "url", "x"]) == nil)
        #expect(NearestWord.hint(for: word, among: ["replicas"]).isEmpty)
    }

    @Test func equalDistancesAreSettledByTheAlphabet() {
        #expect(NearestWord.to("cat", among: ["hat", "bat", "rat"]) == "bat")
        #expect(NearestWord.to("cat", among: ["rat", "bat", "hat"]) == "bat")
    }
}
