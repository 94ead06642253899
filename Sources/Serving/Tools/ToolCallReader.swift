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
        /// The beginning of a call, up to its arguments.
        case head(String, JSONNesting)
        /// Before the first character of a call's arguments.
        case beforeArguments
        case arguments(JSONNesting)
        /// Behind a call's arguments, up to the end of its object.
        case tail(JSONNesting)
    }

    private let format: ToolFormat
    private let identifiers: @Sendable () -> String
    private var state = State.text(held: "")
    /// The calls that have begun.
    private(set) var callCount = 0

    /// - Parameters:
    ///   - identifiers: makes the id of each call.
    ///   - startsInCalls: whether the prompt already ends with what begins calls.
    init(_ format: ToolFormat, startsInCalls: Bool, identifiers: @escaping @Sendable () -> String) {
        self.format = format
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
            if character == "{" { self.state = .head("{", JSONNesting(depth: 1)) }
            return nil
        case .head(let head, let nesting): return try self.readHead(head, nesting, character)
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
        let opener = self.format.opener
        if self.format.allowsTextBefore {
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
        if character.properties.isWhitespace {
            self.state = .text(held: seen)
            return nil
        }
        if String(Character(character)) == opener {
            self.state = opener == "{" ? .head("{", JSONNesting(depth: 1)) : .betweenCalls
            return nil
        }
        self.state = .onlyText
        return .text(seen)
    }

    private mutating func readHead(
        _ head: String,
        _ nesting: JSONNesting,
        _ character: Unicode.Scalar
    ) throws(MartletError) -> Found? {
        var (head, nesting) = (head, nesting)
        nesting.read(character)
        head.unicodeScalars.append(character)
        let isEnd = nesting.depth == 0
        guard isEnd || (character == ":" && nesting.depth == 1 && !nesting.isInString) else {
            self.state = .head(head, nesting)
            return nil
        }
        let members = try? JSONValue(parsing: isEnd ? head : head + "null}")
        guard let members, isEnd || members[self.format.argumentsKey] != nil else {
            if isEnd { throw self.unreadable("it is no JSON object") }
            self.state = .head(head, nesting)
            return nil
        }
        guard let name = members["name"]?.string else { throw self.unreadable("it names no function first") }
        let opening = ToolCallPiece.Opening(id: self.identifiers(), name: name)
        let piece = ToolCallPiece(index: self.callCount, opening: opening, arguments: isEnd ? "{}" : "")
        self.callCount += 1
        self.state = isEnd ? .betweenCalls : .beforeArguments
        return .call(piece)
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
