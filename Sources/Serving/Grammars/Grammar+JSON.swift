extension Grammar {
    /// The names of the rules that every grammar of JSON shares.
    enum JSON {
        static let space = "ws"
        static let string = "string"
        static let character = "char"
        static let integer = "integer"
        static let number = "number"
        static let value = "value"
        static let object = "object"
        static let array = "array"
    }

    /// The rules of JSON values of every kind.
    ///
    /// White space is short, since a model that may write any amount of it may never stop; numbers are short enough to
    /// be read back as they were written; an escape never stands for half a character.
    static let json: [String: Expression] = {
        let space = Expression.rule(JSON.space)
        let hexadecimal = Expression.set("0"..."9", "a"..."f", "A"..."F")
        let digit = Expression.set("0"..."9")
        let unit = Expression.any([
            .all(.set("0"..."9", "a"..."c", "e"..."f", "A"..."C", "E"..."F"), .repeated(hexadecimal, from: 3, to: 3)),
            .all(.set("d"..."d", "D"..."D"), .set("0"..."7"), .repeated(hexadecimal, from: 2, to: 2)),
        ])
        // Not all but some: engines take for a character what only looks like one in UTF-8, a half of a pair for instance.
        let plain = Expression.set(
            " "..."!",
            "#"..."[",
            "]"..."\u{D7FF}",
            "\u{E000}"..."\u{10FFFF}"
        )
        let escape = Expression.any([
            .set("\""..."\"", "\\"..."\\", "/"..."/", "b"..."b", "f"..."f", "n"..."n", "r"..."r", "t"..."t"),
            .all(.text("u"), unit),
        ])
        let member = Expression.all(.rule(JSON.string), .text(":"), space, .rule(JSON.value))
        let sign = Expression.optional(.text("-"))
        let digits = Expression.any([.text("0"), .all(.set("1"..."9"), .repeated(digit, from: 0, to: 15))])
        let fraction = Expression.all(.text("."), .repeated(digit, from: 1, to: 16))
        let exponent = Expression.all(
            .set("e"..."e", "E"..."E"),
            .optional(.set("+"..."+", "-"..."-")),
            .repeated(digit, from: 1, to: 2)
        )
        return [
            JSON.space: .optional(
                .any([.text(" "), .all(.text("\n"), .repeated(.set(" "..." ", "\t"..."\t"), from: 0, to: 20))])
            ),
            JSON.character: .any([plain, .all(.text("\\"), escape)]),
            JSON.string: Grammar.string(from: 0, to: nil),
            JSON.integer: .all(sign, digits),
            JSON.number: .all(sign, digits, .optional(fraction), .optional(exponent)),
            JSON.object: Grammar.list("{", member, "}", from: 0, to: nil),
            JSON.array: Grammar.list("[", .rule(JSON.value), "]", from: 0, to: nil),
            JSON.value: .any([
                .rule(JSON.object), .rule(JSON.array), .rule(JSON.string), .rule(JSON.number), .text("true"),
                .text("false"), .text("null"),
            ]),
        ]
    }()

    /// A string of so many characters.
    static func string(from: Int, to: Int?) -> Expression {
        if let to, to < from { return .nothing }
        return .all(.text("\""), .repeated(.rule(JSON.character), from: from, to: to), .text("\""))
    }

    /// So many elements between brackets, with commas.
    static func list(_ open: String, _ element: Expression, _ close: String, from: Int, to: Int?) -> Expression {
        let space = Expression.rule(JSON.space)
        let empty = Expression.all(.text(open), space, .text(close))
        if let to, to < from { return .nothing }
        if to == 0 { return from == 0 ? empty : .nothing }
        let more = Expression.repeated(
            .all(.text(","), space, element),
            from: max(0, from - 1),
            to: to.map { $0 - 1 }
        )
        let elements = Expression.all(element, more)
        if elements == .nothing || element == .nothing { return from == 0 ? empty : .nothing }
        let filled = from == 0 ? Expression.optional(elements) : elements
        return .all(.text(open), space, filled, space, .text(close))
    }
}
