internal import Hummingbird
internal import Planning
internal import Schema

/// The query of an admin request, read strictly.
struct AdminQuery {
    private var values: [String: [String]] = [:]

    /// Throws for a name that the route does not know.
    init(_ request: Request, knows names: [String]) throws {
        for (name, value) in request.uri.queryParameters {
            let name = String(name)
            guard names.contains(name) else {
                let hint = NearestWord.hint(for: name, among: names, otherwise: ".")
                throw Problem.badRequest("'\(name.shortened)' is not a query parameter here\(hint)")
            }
            self.values[name, default: []].append(String(value))
        }
    }

    /// Every value that was given under one name.
    func all(_ name: String) -> [String] { self.values[name] ?? [] }

    func text(_ name: String) throws -> String? {
        let given = self.all(name)
        guard given.count <= 1 else { throw Problem.badRequest("'\(name)' may be given once only.") }
        return given.first
    }

    func integer(_ name: String, in range: ClosedRange<Int64>) throws -> Int64? {
        guard let text = try self.text(name) else { return nil }
        guard let number = Int64(text), range.contains(number) else {
            throw Problem.badRequest(
                "'\(name)' must be a whole number from \(range.lowerBound) to \(range.upperBound), not "
                    + "'\(text.shortened)'."
            )
        }
        return number
    }

    func boolean(_ name: String) throws -> Bool? {
        guard let text = try self.text(name) else { return nil }
        guard text == "true" || text == "false" else {
            throw Problem.badRequest("'\(name)' must be true or false, not '\(text.shortened)'.")
        }
        return text == "true"
    }

    func kind(_ name: String) throws -> Kind? {
        try self.text(name).map { try Kind(adminWord: $0) }
    }

    func continueToken(_ name: String) throws -> ResourceIdentity? {
        guard let text = try self.text(name) else { return nil }
        guard let identity = ContinueToken.identity(text) else {
            throw Problem.badRequest("'\(name)' must be what x-martlet-continue said of the page before.")
        }
        return identity
    }

    func identity(_ name: String) throws -> ResourceIdentity? {
        guard let text = try self.text(name) else { return nil }
        guard let identity = ResourceIdentity(text) else {
            throw Problem.badRequest("'\(name)' must be kind/namespace/name, not '\(text.shortened)'.")
        }
        return identity
    }

    func variant(_ name: String) throws -> VariantID? {
        guard let text = try self.text(name) else { return nil }
        guard let variant = VariantID(text) else {
            throw Problem.badRequest("'\(name)' must be namespace/endpoint[@tenant], not '\(text.shortened)'.")
        }
        return variant
    }
}

extension Kind {
    /// Reads a kind as a person types it. Throws a problem that suggests the nearest one.
    init(adminWord word: String) throws {
        guard let kind = Kind(word: word) else {
            let hint = NearestWord.hint(for: word, among: Kind.allCases.map(\.plural), otherwise: ".")
            throw Problem.badRequest("'\(word.shortened)' is not a kind\(hint)")
        }
        self = kind
    }
}

/// Labels that resources must have: `team=search,tier`; a name alone asks for any value.
struct LabelSelector: Hashable {
    private struct Term: Hashable {
        var name: String
        /// Nil asks for any value.
        var value: String?
    }

    private var terms: [Term] = []

    /// Reads every given selector; all of them must hold.
    init(_ texts: [String]) throws {
        for term in texts.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }) {
            let parts = term.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let name = parts.first, !name.isEmpty else {
                throw Problem.badRequest("'label' must look like team=search or team, not '\(String(term).shortened)'.")
            }
            self.terms.append(Term(name: name, value: parts.count == 2 ? parts[1] : nil))
        }
    }

    func matches(_ labels: [String: String]) -> Bool {
        self.terms.allSatisfy { term in
            guard let value = labels[term.name] else { return false }
            return term.value == nil || term.value == value
        }
    }
}
