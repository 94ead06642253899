internal import Planning
internal import Schema

/// The guards of one template, compiled: what may be asked, and what may be answered.
struct PromptGuards: Sendable {
    enum Place: String, Sendable {
        case input
        case output
    }

    private struct Guard: Sendable {
        enum Rule: Sendable {
            case maxTokens(Int)
            case deny(DeniedPattern)
            case topics(TopicCheck)

            /// As manifests call it.
            var word: String {
                switch self {
                case .maxTokens: "maxTokens"
                case .deny: "deny"
                case .topics: "topics"
                }
            }
        }

        var rule: Rule
        var action: PromptTemplateSpec.Guard.Action
    }

    /// Why something does not pass.
    struct Refusal: Sendable, Hashable {
        /// The variable whose value is at fault, where it is one.
        var variable: String?
        /// A full clause, which repeats nothing of what was looked at.
        var message: String
    }

    /// Something that was looked at: what is left of it, and what was found.
    struct Checked<Value: Sendable>: Sendable {
        var value: Value
        /// In the order of the rules.
        var fired: [GuardRecord] = []
        var refusal: Refusal?
        /// What it took to tell.
        var usage = TokenUsage()
        /// The rules that fired, by their place in the manifest.
        fileprivate var firedRules: Set<Int> = []

        init(_ value: Value) {
            self.value = value
        }
    }

    /// The longest data that guards look at, in bytes of its JSON; more is refused, whatever the action is.
    static let longest = 1 << 18

    private let input: [Guard]
    private let output: [Guard]
    /// The variables that checks of topics look at by themselves.
    private let texts: [String]

    /// Whether answers are looked at.
    var checkAnswers: Bool { !self.output.isEmpty }

    /// Throws `PatternInvalid`.
    init(_ spec: PromptTemplateSpec, namespace: String) throws(MartletError) {
        self.input = try Self.compile(spec.guards?.input ?? [], namespace)
        self.output = try Self.compile(spec.guards?.output ?? [], namespace)
        self.texts = spec.variables.filter { $0.value.type == .string && $0.value.enum == nil }.keys.sorted()
    }

    private static func compile(
        _ guards: [PromptTemplateSpec.Guard],
        _ namespace: String
    ) throws(MartletError) -> [Guard] {
        var compiled: [Guard] = []
        for guarded in guards {
            let rule: Guard.Rule
            switch guarded.rule {
            case .maxTokens(let limit): rule = .maxTokens(limit)
            case .deny(let pattern): rule = .deny(try DeniedPattern(pattern))
            case .topics(let topics):
                guard let model = ResourceIdentity(.model, reference: topics.model, in: namespace) else {
                    throw MartletError("RevisionInvalid", "'\(topics.model)' is no Model's name")
                }
                rule = .topics(TopicCheck(topics, model: model))
            }
            compiled.append(Guard(rule: rule, action: guarded.action))
        }
        return compiled
    }

    // MARK: Input

    /// Looks for denied patterns in the values that a template is filled in with.
    func check(values: [String: JSONValue]) -> Checked<[String: JSONValue]> {
        var checked = Checked(values)
        for (index, guarded) in self.input.enumerated() {
            guard case .deny(let pattern) = guarded.rule else { continue }
            for (name, value) in checked.value.sorted(by: { $0.key < $1.key }) {
                guard self.isShort(value, "variable '\(name)'", variable: name, .input, &checked) else {
                    return checked
                }
                guard pattern.occurs(in: value) else { continue }
                let detail = "variable '\(name)' has what it denies"
                self.fire(.input, index, guarded, detail, variable: name, &checked)
                if checked.refusal != nil { return checked }
                if guarded.action == .redact { checked.value[name] = pattern.redact(value) }
            }
        }
        return checked
    }

    /// Looks at what is asked: at messages that are filled in, and at the values that they were filled in with.
    ///
    /// - Parameters:
    ///   - before: what came of the values.
    ///   - model: the one that is asked; it knows best how many tokens there are.
    func check(
        asked messages: [ChatMessage],
        with before: Checked<[String: JSONValue]>,
        by model: any CompletionModel,
        _ models: [ResourceIdentity: any CompletionModel]
    ) async throws -> Checked<[ChatMessage]> {
        var checked = Checked(messages)
        for (index, guarded) in self.input.enumerated() {
            switch guarded.rule {
            case .maxTokens(let limit):
                try await self.count(checked.value.map(\.content), by: model, limit, index, guarded, &checked)
            case .deny(let pattern):
                for position in checked.value.indices {
                    let content = checked.value[position].content
                    guard self.isShort(.string(content), "what is asked", .input, &checked) else { return checked }
                    guard pattern.occurs(in: content) else { continue }
                    if !before.firedRules.contains(index) || guarded.action != .flag {
                        self.fire(.input, index, guarded, "what is asked has what it denies", &checked)
                    }
                    if guarded.action == .redact { checked.value[position].content = pattern.redact(content) }
                }
            case .topics(let check):
                for name in check.topics.variables ?? self.texts {
                    let text = before.value[name]?.plainText ?? ""
                    let subject = "variable '\(name)'"
                    try await self.judge(text, subject, check, models, .input, index, guarded, name, &checked)
                }
            }
            if checked.refusal != nil { return checked }
        }
        return checked
    }

    // MARK: Output

    /// Looks at an answer.
    ///
    /// - Parameter tokens: of the answer's text, where they were counted.
    func check(
        answer: JSONValue,
        tokens: Int?,
        _ models: [ResourceIdentity: any CompletionModel]
    ) async throws -> Checked<JSONValue> {
        var checked = Checked(answer)
        for (index, guarded) in self.output.enumerated() {
            switch guarded.rule {
            case .maxTokens(let limit):
                let count = tokens ?? TokenEstimate.count(answer.plainText)
                guard count > limit else { continue }
                self.fire(.output, index, guarded, "the answer has \(count) tokens, at most \(limit) pass", &checked)
            case .deny(let pattern):
                let value = checked.value
                guard self.isShort(value, "the answer", .output, &checked) else { return checked }
                guard pattern.occurs(in: value) || pattern.occurs(in: value.plainText) else { continue }
                self.fire(.output, index, guarded, "the answer has what it denies", &checked)
                guard guarded.action == .redact else { break }
                checked.value = pattern.redact(value)
                guard pattern.occurs(in: checked.value.plainText), value.string == nil else { break }
                checked.refusal = Refusal(message: "the answer has what spec.guards.output[\(index)] denies")
            case .topics(let check):
                let text = checked.value.plainText
                try await self.judge(text, "the answer", check, models, .output, index, guarded, nil, &checked)
            }
            if checked.refusal != nil { return checked }
        }
        return checked
    }

    // MARK: Checks

    private func count<Value>(
        _ texts: [String],
        by model: any CompletionModel,
        _ limit: Int,
        _ index: Int,
        _ guarded: Guard,
        _ checked: inout Checked<Value>
    ) async throws {
        // No token is less than a byte, so that most texts need no counting.
        guard texts.reduce(0, { $0 + $1.utf8.count + 1 }) > limit else { return }
        let counted = try await model.countTokens(of: texts)
        let count = counted ?? texts.reduce(0) { $0 + TokenEstimate.count($1) }
        guard count > limit else { return }
        let words = counted == nil ? "about \(count) tokens, counted on the safe side" : "\(count) tokens"
        self.fire(.input, index, guarded, "what is asked has \(words), and at most \(limit) pass", &checked)
    }

    private func judge<Value>(
        _ text: String,
        _ subject: String,
        _ check: TopicCheck,
        _ models: [ResourceIdentity: any CompletionModel],
        _ place: Place,
        _ index: Int,
        _ guarded: Guard,
        _ variable: String?,
        _ checked: inout Checked<Value>
    ) async throws {
        guard checked.refusal == nil, !text.allSatisfy(\.isWhitespace) else { return }
        let (nearness, usage) = try await check.nearness(of: text, models: models)
        checked.usage = checked.usage + usage
        let detail: String
        switch nearness {
        case .tooLong: detail = "\(subject) is too long for the model that knows the topics"
        case .similarity(let similarity):
            guard !(similarity >= check.topics.minSimilarity) else { return }
            let rounded = JSONValue.number((similarity * 100).rounded() / 100).canonicalJSON
            detail = "\(subject) is none of the allowed topics: the nearest is \(rounded) near"
        }
        self.fire(place, index, guarded, detail, variable: variable, &checked)
    }

    private func isShort<Value>(
        _ value: JSONValue,
        _ subject: String,
        variable: String? = nil,
        _ place: Place,
        _ checked: inout Checked<Value>
    ) -> Bool {
        guard value.plainText.utf8.count > Self.longest else { return true }
        let detail = "\(subject) has more than \(Self.longest) bytes, the most that guards look at"
        checked.fired.append(
            GuardRecord(
                place: place.rawValue,
                rule: "deny",
                action: PromptTemplateSpec.Guard.Action.refuse.rawValue,
                detail: detail
            )
        )
        checked.refusal = Refusal(variable: variable, message: detail)
        return false
    }

    /// Writes down that a rule fired, once, and refuses where it says so.
    private func fire<Value>(
        _ place: Place,
        _ index: Int,
        _ guarded: Guard,
        _ detail: String,
        variable: String? = nil,
        _ checked: inout Checked<Value>
    ) {
        let detail = "spec.guards.\(place.rawValue)[\(index)]: \(detail)"
        if checked.firedRules.insert(index).inserted {
            checked.fired.append(
                GuardRecord(
                    place: place.rawValue,
                    rule: guarded.rule.word,
                    action: guarded.action.rawValue,
                    detail: detail
                )
            )
        }
        guard guarded.action == .refuse else { return }
        checked.refusal = Refusal(variable: variable, message: detail)
    }
}
