internal import Planning
internal import Schema

/// Finds the calls of functions in the text of an answer, piece by piece.
struct ToolCallReader: Sendable {
    /// What a piece of text turned out to be.
    enum Found: Sendable, Hashable {
        case text(String)
        case call(ToolCallPiece)
    }

    private enum State: Sendable {
        /// Text, with what may be the beginning of a call held back.
        case text(held: String)
        /// Text up to the end.
        case onlyText
        /// Between calls.
        case betweenCalls
        /// The beginning of a call, up to its arguments, and what was held back before it.
        case head(String, JSONNesting, behind: String)
        /// Before the first character of a call's arguments.
        case beforeArguments
        case arguments(JSONNesting)
        /// Behind a call's arguments, up to the end of its object.
        case tail(JSONNesting)
    }

    private let format: ToolFormat
    private let offered: Set<String>?
    private let isStructured: Bool
    private let identifiers: @Sendable () -> String
    private var state = State.text(held: "")
    /// The calls that have begun.
    private(set) var callCount = 0

    /// - Parameters:
    ///   - startsInCalls: whether the prompt already ends with what begins calls.
    ///   - offered: the functions' names, where the answer may call nothing: JSON that names none of them is text then.
    ///   - isStructured: whether an answer that calls nothing is JSON, so that calls only stand at the beginning.
    ///   - identifiers: makes the id of each call.
    init(
        _ format: ToolFormat,
        startsInCalls: Bool,
        offered: Set<String>? = nil,
        isStructured: Bool = false,
        identifiers: @escaping @Sendable () -> String
    ) {
        self.format = format
        self.offered = offered
        self.isStructured = isStructured
        self.identifiers = identifiers
        if startsInCalls { self.state = .betweenCalls }
    }

    /// Takes the next characters. Throws `ToolCallUnreadable`.
    mutating func read(_ text: String) throws(MartletError) -> [Found] {
        var found: [Found] = []
        for character in text.unicodeScalars {
            guard let next = try self.read(character) else { continue }
            if let joined = found.last.flatMap({ Self.join($0, next) }) {
                found[found.count - 1] = joined
            } else {
                found.append(next)
            }
        }
        return found
    }

    /// What was held back, at the answer's end. Throws `ToolCallUnreadable` when it ends within a call.
    ///
    /// - Parameter isCut: whether a limit ended the answer; a call may break off then.
    mutating func finish(isCut: Bool) throws(MartletError) -> String {
        switch self.state {
        case .text(let held): return held
        case .onlyText, .betweenCalls: return ""
        case .head(let head, _, let held) where self.isOpen: return held + head
        case .head, .beforeArguments, .arguments, .tail:
            if isCut { return "" }
            throw self.unreadable("it breaks off")
        }
    }

    private mutating func read(_ character: Unicode.Scalar) throws(MartletError) -> Found? {
        switch self.state {
        case .text(let held): return self.readText(held, character)
        case .onlyText: return .text(String(Character(character)))
        case .betweenCalls:
            if character == "{" { self.state = .head("{", JSONNesting(depth: 1), behind: "") }
            return nil
        case .head(let head, let nesting, let held): return try self.readHead(head, nesting, behind: held, character)
        case .beforeArguments:
            if character.properties.isWhitespace { return nil }
            guard character == "{" else { throw self.unreadable("its arguments are no object") }
            self.state = .arguments(JSONNesting(depth: 1))
            return .call(ToolCallPiece(index: self.callCount - 1, arguments: "{"))
        case .arguments(var nesting):
            nesting.read(character)
            self.state = nesting.depth == 0 ? .tail(JSONNesting(depth: 1)) : .arguments(nesting)
            return .call(ToolCallPiece(index: self.callCount - 1, arguments: String(Character(character))))
        case .tail(var nesting):
            nesting.read(character)
            self.state = nesting.depth == 0 ? .betweenCalls : .tail(nesting)
            return nil
        }
    }

    private mutating func readText(_ held: String, _ character: Unicode.Scalar) -> Found? {
        var seen = held
        seen.unicodeScalars.append(character)
        guard self.format.allowsTextBefore, !self.isStructured else { return self.readBeginning(seen) }
        let opener = self.format.opener
        guard seen != opener else {
            self.state = .betweenCalls
            return nil
        }
        // The opener's first character comes only once in it: a beginning that fails can only start anew there.
        if opener.hasPrefix(seen) {
            self.state = .text(held: seen)
            return nil
        }
        let restarts = character == opener.unicodeScalars.first
        self.state = .text(held: restarts ? opener.unicodeScalars.first.map { String(Character($0)) } ?? "" : "")
        return .text(restarts ? held : seen)
    }

    /// Takes all that there is of an answer which can call only at its beginning.
    private mutating func readBeginning(_ seen: String) -> Found? {
        switch self.format.beginning(seen) {
        case .open: self.state = .text(held: seen)
        case .calls: self.state = .betweenCalls
        case .call: self.state = .head("{", JSONNesting(depth: 1), behind: String(seen.dropLast()))
        case .text:
            self.state = .onlyText
            return .text(seen)
        }
        return nil
    }

    private mutating func readHead(
        _ head: String,
        _ nesting: JSONNesting,
        behind held: String,
        _ character: Unicode.Scalar
    ) throws(MartletError) -> Found? {
        var (head, nesting) = (head, nesting)
        nesting.read(character)
        head.unicodeScalars.append(character)
        let isEnd = nesting.depth == 0
        guard isEnd || (character == ":" && nesting.depth == 1 && !nesting.isInString) else {
            self.state = .head(head, nesting, behind: held)
            return nil
        }
        let members = (try? JSONValue(parsing: isEnd ? head : head + "null}"))?.object
        if self.isOpen, !self.mayCall(members, isEnd: isEnd) {
            self.state = .onlyText
            return .text(held + head)
        }
        guard let members, isEnd || members[self.format.argumentsKey] != nil else {
            if isEnd { throw self.unreadable("it is no JSON object") }
            self.state = .head(head, nesting, behind: held)
            return nil
        }
        guard let name = members["name"]?.string else { throw self.unreadable("it names no function first") }
        let opening = ToolCallPiece.Opening(id: self.identifiers(), name: name)
        let piece = ToolCallPiece(index: self.callCount, opening: opening, arguments: isEnd ? "{}" : "")
        self.callCount += 1
        self.state = isEnd ? .betweenCalls : .beforeArguments
        return .call(piece)
    }

    /// Whether what looks like a call may still turn out to be text.
    private var isOpen: Bool { self.offered != nil && self.callCount == 0 && !self.format.allowsTextBefore }

    /// Whether an object with these members first, or only these, calls one of the functions; a call names it first.
    private func mayCall(_ members: [String: JSONValue]?, isEnd: Bool) -> Bool {
        guard let members, !isEnd || members[self.format.argumentsKey] != nil else { return false }
        guard let name = members["name"]?.string else { return members.keys.elementsEqual(["name"]) }
        return self.offered?.contains(name) == true
    }

    /// Two pieces as one, where they belong together.
    private static func join(_ first: Found, _ second: Found) -> Found? {
        switch (first, second) {
        case (.text(let first), .text(let second)): .text(first + second)
        case (.call(let first), .call(let second)) where second.opening == nil:
            .call(
                ToolCallPiece(index: first.index, opening: first.opening, arguments: first.arguments + second.arguments)
            )
        case (.text, .call), (.call, .text), (.call, .call): nil
        }
    }

    private func unreadable(_ reason: String) -> MartletError {
        MartletError("ToolCallUnreadable", "the model called a function in a way that cannot be read: \(reason)")
    }
}

/// How deep a place in a JSON text lies in objects and arrays.
struct JSONNesting: Sendable {
    private(set) var depth: Int
    private(set) var isInString = false
    private var isEscaped = false

    init(depth: Int) {
        self.depth = depth
    }

    /// Takes the next character.
    mutating func read(_ character: Unicode.Scalar) {
        if self.isInString {
            if self.isEscaped {
                self.isEscaped = false
            } else if character == "\\" {
                self.isEscaped = true
            } else if character == "\"" {
                self.isInString = false
            }
            return
        }
        switch character {
        case "\"": self.isInString = true
        case "{", "[": self.depth += 1
        case "}", "]": self.depth -= 1
        default: break
        }
    }
}
