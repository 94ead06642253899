internal import Planning

/// What `gpgv --status-fd` says about a signature: one line for each thing, as GnuPG's DETAILS document has it.
struct GPGStatus {
    private var lines: [(word: String, arguments: [String])] = []

    init(_ text: String) {
        for line in text.split(separator: "\n") where line.hasPrefix("[GNUPG:] ") {
            var words = line.split(separator: " ").dropFirst().map(String.init)
            guard !words.isEmpty else { continue }
            self.lines.append((words.removeFirst(), words))
        }
    }

    /// The words of which a signature has exactly one.
    private static let outcomes: Set<String> = [
        "GOODSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG", "BADSIG", "ERRSIG",
    ]

    /// A signature counts only when it is the only one, good, valid, and the program itself is content.
    func verdict(succeeded: Bool) -> SignatureVerdict {
        let found = self.lines.filter { Self.outcomes.contains($0.word) }
        guard let outcome = found.first else { return .refused("its OpenPGP signature cannot be read") }
        guard found.count == 1 else { return .refused("it carries more than one OpenPGP signature") }
        let key = outcome.arguments.first ?? ""
        let name = outcome.arguments.dropFirst().joined(separator: " ")
        switch outcome.word {
        case "GOODSIG":
            guard succeeded, let valid = self.lines.first(where: { $0.word == "VALIDSIG" }),
                let own = valid.arguments.first, let primary = valid.arguments.last
            else { return .refused("its OpenPGP signature is not valid") }
            return .signed(CommitSigner(name: name, keys: own == primary ? [own] : [primary, own]))
        case "EXPSIG": return .refused("its signature by \(name) has expired")
        case "EXPKEYSIG": return .refused("the key \(key) of \(name) has expired")
        case "REVKEYSIG": return .refused("the key \(key) of \(name) was revoked")
        case "BADSIG": return .refused("its signature does not fit it: it was changed after \(name) signed it")
        default:
            let isUnknown = self.lines.contains { $0.word == "NO_PUBKEY" }
            return .refused(
                isUnknown ? "the key \(key) is not in the keyring" : "its signature by key \(key) cannot be checked"
            )
        }
    }
}
