internal import Hummingbird
internal import Planning
internal import Schema

/// The body of an admin request, read strictly; an empty body is an empty object.
struct AdminBody {
    private let members: [String: JSONValue]

    /// Throws when it is not one JSON object, or has a member that the route does not know.
    init(_ bytes: [UInt8], knows names: [String]) throws {
        guard !bytes.isEmpty else {
            self.members = [:]
            return
        }
        let value: JSONValue
        do {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw Problem.badRequest("The body is not JSON: \(error).")
        }
        guard case .object(let members) = value else { throw Problem.badRequest("The body must be one JSON object.") }
        for name in members.keys.sorted() where !names.contains(name) {
            let hint = NearestWord.hint(for: name, among: names, otherwise: ".")
            throw Problem.badRequest("'\(name.shortened)' is not a member of this body\(hint)")
        }
        self.members = members.filter { $0.value != .null }
    }

    func text(_ name: String) throws -> String? {
        guard let value = self.members[name] else { return nil }
        guard case .string(let text) = value else { throw Problem.badRequest("'\(name)' must be a string.") }
        return text
    }

    func number(_ name: String) throws -> Double? {
        switch self.members[name] {
        case nil: return nil
        case .integer(let value): return Double(value)
        case .number(let value): return value
        case .null, .bool, .string, .array, .object: throw Problem.badRequest("'\(name)' must be a number.")
        }
    }

    /// The value as it was given, or nil.
    subscript(_ name: String) -> JSONValue? { self.members[name] }

    /// `reason`; empty where it is not given.
    func reason() throws -> String {
        try self.text("reason") ?? ""
    }

    /// `variant`, which must be there.
    func variant() throws -> VariantID {
        guard let text = try self.text("variant") else { throw Problem.badRequest("'variant' is required.") }
        guard let variant = VariantID(text) else {
            throw Problem.badRequest("'variant' must be namespace/endpoint[@tenant], not '\(text.shortened)'.")
        }
        return variant
    }
}

extension SyncBody {
    init(bytes: [UInt8]) throws {
        let body = try AdminBody(bytes, knows: ["source", "revision", "reason"])
        self.init(
            source: try body.text("source"),
            revision: try body.text("revision"),
            reason: try body.reason()
        )
    }
}

extension ConfirmBody {
    init(bytes: [UInt8]) throws {
        let body = try AdminBody(bytes, knows: ["commit", "reason"])
        guard let commit = try body.text("commit") else { throw Problem.badRequest("'commit' is required.") }
        self.init(commit: commit, reason: try body.reason())
    }
}

extension SuspendBody {
    init(bytes: [UInt8]) throws {
        let body = try AdminBody(bytes, knows: ["resource", "reason"])
        let resource = try body.text("resource").map { text in
            guard let identity = ResourceIdentity(text) else {
                throw Problem.badRequest("'resource' must be kind/namespace/name, not '\(text.shortened)'.")
            }
            return identity
        }
        self.init(resource: resource, reason: try body.reason())
    }
}

extension RollbackBody {
    init(bytes: [UInt8]) throws {
        let body = try AdminBody(bytes, knows: ["variant", "to", "reason"])
        self.init(variant: try body.variant(), to: try body.text("to"), reason: try body.reason())
        guard self.reason.contains(where: { !$0.isWhitespace }) else {
            throw Problem.badRequest("'reason' is required: say why, for those who find the hold later.")
        }
    }
}

extension VariantBody {
    init(bytes: [UInt8]) throws {
        let body = try AdminBody(bytes, knows: ["variant", "reason"])
        self.init(variant: try body.variant(), reason: try body.reason())
    }
}
