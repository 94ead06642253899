internal import ArgumentParser

/// Labels that resources must have: `team=search,tier!=test,owner,!retired`; all terms must hold.
struct LabelSelector {
    private enum Term {
        case equals(String, String)
        case differs(String, String)
        case present(String)
        case absent(String)
    }

    private var terms: [Term] = []

    /// Reads a selector as kubectl does; nil asks for nothing.
    init(_ text: String?) throws {
        for term in text?.split(separator: ",", omittingEmptySubsequences: false) ?? [] {
            self.terms.append(try LabelSelector.read(term))
        }
    }

    func matches(_ labels: [String: String]) -> Bool {
        self.terms.allSatisfy { term in
            switch term {
            case .equals(let key, let value): labels[key] == value
            case .differs(let key, let value): labels[key] != value
            case .present(let key): labels[key] != nil
            case .absent(let key): labels[key] == nil
            }
        }
    }

    private static func read(_ text: Substring) throws -> Term {
        let term: Term
        let key: Substring
        if let sign = text.firstRange(of: "!=") {
            key = text[..<sign.lowerBound]
            term = .differs(String(key), String(text[sign.upperBound...]))
        } else if let sign = text.firstRange(of: "==") ?? text.firstRange(of: "=") {
            key = text[..<sign.lowerBound]
            term = .equals(String(key), String(text[sign.upperBound...]))
        } else if text.hasPrefix("!") {
            key = text.dropFirst()
            term = .absent(String(key))
        } else {
            key = text
            term = .present(String(key))
        }
        guard !key.isEmpty, !key.contains(where: \.isWhitespace) else {
            throw ValidationError("'\(text)' is no label selector; write key=value, key!=value, key or !key")
        }
        return term
    }
}
