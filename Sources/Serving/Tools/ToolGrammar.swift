internal import Planning
internal import Schema

/// The grammar of answers that may or must call functions.
struct ToolGrammar: Sendable {
    /// Rules of the answer's own: text, calls, and what lies between.
    private enum Name {
        static let calls = "calls"
        static let call = "call"
        static let text = "text"
    }

    /// Builds the grammar. Throws `SchemaUnsupported`, and `UnsupportedParameter` for a promise that no grammar keeps.
    ///
    /// - Parameters:
    ///   - tools: what is offered; its choice is not `none`.
    ///   - answer: what the answer must be where it calls nothing; nil: any text.
    ///   - isOpened: whether the prompt already ends with what begins calls.
    static func grammar(
        of tools: ToolUse,
        in format: ToolFormat,
        otherwise answer: JSONSchema?,
        isOpened: Bool
    ) throws(MartletError) -> Grammar {
        var grammar = Grammar()
        grammar.rules = Grammar.json
        var budget = SchemaGrammar.Budget()
        var bodies: [Grammar.Expression] = []
        for (index, function) in tools.callable.enumerated() {
            let arguments = try self.arguments(of: function, index: index, to: &grammar, &budget)
            let name = JSONValue.string(function.name).canonicalJSON
            bodies.append(.all(.text("{\"name\": \(name), \"\(format.argumentsKey)\": "), arguments, .text("}")))
        }
        grammar.rules[Name.call] = .any(bodies)
        let severally = tools.allowsSeveral && format.allowsSeveral
        let calls = self.calls(in: format, severally: severally, isOpened: isOpened)
        grammar.rules[Name.calls] = calls
        switch tools.choice {
        case .required, .function: grammar.rules[Grammar.root] = .rule(Name.calls)
        case .auto, .none:
            if let answer {
                var schema = SchemaGrammar(prefix: "answer", budget: budget)
                let text: Grammar.Expression
                do throws(MartletError) {
                    text = try schema.add(answer)
                } catch {
                    throw MartletError("UnsupportedParameter", "'response_format': \(error.message)")
                }
                grammar.rules.merge(schema.grammar.rules) { first, _ in first }
                grammar.rules[Grammar.root] = .any([.rule(Name.calls), text])
            } else {
                grammar.rules[Grammar.root] = .rule(Name.text)
                self.addText(in: format, severally: severally, to: &grammar)
            }
        }
        return try grammar.checked()
    }

    private static func arguments(
        of function: ToolFunction,
        index: Int,
        to grammar: inout Grammar,
        _ budget: inout SchemaGrammar.Budget
    ) throws(MartletError) -> Grammar.Expression {
        var builder = SchemaGrammar(prefix: "f\(index)x", budget: budget)
        let arguments: Grammar.Expression
        do throws(MartletError) {
            arguments = try builder.add(try function.argumentsSchema())
        } catch {
            throw MartletError("UnsupportedParameter", "'tools': function '\(function.name)': \(error.message)")
        }
        budget = builder.budget
        if function.isStrict, let keyword = builder.approximations.first {
            throw MartletError(
                "UnsupportedParameter",
                "'tools': function '\(function.name)' is strict, and its keyword '\(keyword)' cannot be promised; "
                    + "without 'strict' the arguments are only checked"
            )
        }
        grammar.rules.merge(builder.grammar.rules) { first, _ in first }
        return arguments
    }

    private static func calls(in format: ToolFormat, severally: Bool, isOpened: Bool) -> Grammar.Expression {
        let call = Grammar.Expression.rule(Name.call)
        func more(_ separator: String, _ next: Grammar.Expression) -> Grammar.Expression {
            severally ? .repeated(.all(.text(separator), next), from: 0, to: nil) : .text("")
        }
        switch format {
        case .tagged:
            let rest = Grammar.Expression.all(.rule(Grammar.JSON.space), call, .text("\n</tool_call>"))
            let tagged = Grammar.Expression.all(.text("<tool_call>"), rest)
            return isOpened ? .all(rest, more("\n", tagged)) : .all(tagged, more("\n", tagged))
        case .bare: return call
        case .list:
            let list = Grammar.Expression.all(.text("["), call, more(", ", call), .text("]"))
            return isOpened ? list : .all(.optional(.text("[TOOL_CALLS]")), .optional(.text(" ")), list)
        }
    }

    /// Text that goes over into calls as soon as it spells what begins one.
    private static func addText(in format: ToolFormat, severally: Bool, to grammar: inout Grammar) {
        let opener = Array(format.opener.unicodeScalars)
        let any = Grammar.Expression.repeated(.others(than: "\0"..."\0"), from: 0, to: nil)
        guard format.allowsTextBefore else {
            let start = Grammar.Expression.character(
                Grammar.CharacterClass(ranges: [opener[0]...opener[0], "\0"..." "], isNegated: true)
            )
            grammar.rules[Name.text] = .any([.rule(Name.calls), .optional(.all(start, any))])
            return
        }
        // One rule for each number of the opener's characters that were just written.
        func name(_ count: Int) -> String { count == 0 ? Name.text : "\(Name.text)\(count)" }
        for (count, character) in opener.enumerated() {
            let isLast = count == opener.count - 1
            let next = Grammar.Expression.rule(isLast ? "\(Name.calls)-opened" : name(count + 1))
            var ways: [Grammar.Expression] = [.text(""), .all(.set(character...character), next)]
            var others = [character...character, "\0"..."\0"]
            if count > 0 {
                ways.append(.all(.set(opener[0]...opener[0]), .rule(name(1))))
                others.append(opener[0]...opener[0])
            }
            let other = Grammar.Expression.character(Grammar.CharacterClass(ranges: others, isNegated: true))
            ways.append(.all(other, .rule(Name.text)))
            grammar.rules[name(count)] = .any(ways)
        }
        grammar.rules["\(Name.calls)-opened"] = self.calls(in: format, severally: severally, isOpened: true)
    }
}

extension ToolUse {
    /// The functions that an answer may call.
    var callable: [ToolFunction] {
        switch self.choice {
        case .none: []
        case .auto, .required: self.functions
        case .function(let name): self.functions.filter { $0.name == name }
        }
    }
}

extension ToolFunction {
    /// What its arguments must be: an object that fits its parameters. Throws `SchemaUnsupported`.
    func argumentsSchema() throws(MartletError) -> JSONSchema {
        var schema = try JSONSchema(fromCaller: self.parameters)
        let definitions = schema.definitions
        schema = JSONSchema(rules: schema.rules + [.types(["object"])])
        schema.definitions = definitions
        return schema
    }
}
