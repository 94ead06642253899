internal import Schema
internal import Testing

@Suite struct NearestWordTests {
    @Test(
        arguments: [
            ("replcas", "replicas"), ("Replicas", "replicas"), ("srevers", "servers"), ("canry", "canary"),
            ("modle", "Model"),
            ("chian", "chain"), ("ur", "uri"), ("urls", "url"), ("strategie", "strategy"),
            ("rolluot", "rollout"), ("mian", "main"), ("sevre", "serve"), ("model", "Model"),
            ("release-1.3", "release-1.2"),
        ] as [(String, String)]
    )
    func findsWhatWasMeant(word: String, meant: String) {
        let words = [
            "replicas", "servers", "canary", "Model", "chain", "uri", "url", "strategy", "x", "rollout", "main",
            "serve",
            "release-1.2",
        ]
        #expect(NearestWord.to(word, among: words) == meant)
        #expect(NearestWord.hint(for: word, among: words) == "; did you mean '\(meant)'?")
    }

    @Test(arguments: ["colour", "", "q", "zzzz", String(repeating: "replicas", count: 20)])
    func saysNothingWhereNothingIsNear(word: String) {
        #expect(NearestWord.to(word, among: ["replicas", "chain", "url", "x"]) == nil)
        #expect(NearestWord.hint(for: word, among: ["replicas"]).isEmpty)
    }

    @Test func anotherEndStandsWhereNothingIsNear() {
        #expect(NearestWord.hint(for: "kubernetes", among: ["replicas"], otherwise: ".") == ".")
        #expect(NearestWord.hint(for: "replcas", among: ["replicas"], otherwise: ".") == "; did you mean 'replicas'?")
    }

    @Test func equalDistancesAreSettledByTheAlphabet() {
        #expect(NearestWord.to("cat", among: ["hat", "bat", "rat"]) == "bat")
        #expect(NearestWord.to("cat", among: ["rat", "bat", "hat"]) == "bat")
    }
}
