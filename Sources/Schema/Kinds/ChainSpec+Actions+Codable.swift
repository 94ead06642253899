/// An action is the one field of its step that names it.
extension ChainSpec.Action: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case prompt
        case model
        case retrieve
        case features
        case http
        case program
        case chain
        case parallel
        case ensemble
        case agent
        case set
    }

    private struct Steps: Codable {
        var steps: [ChainSpec.Step]
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        guard let key = CodingKeys.allCases.first(where: { container.contains($0) }) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: container.codingPath, debugDescription: "a step needs one action")
            )
        }
        switch key {
        case .prompt: self = .prompt(try container.decode(ChainSpec.PromptStep.self, forKey: key))
        case .model: self = .model(try container.decode(String.self, forKey: key))
        case .retrieve: self = .retrieve(try container.decode(ChainSpec.Retrieve.self, forKey: key))
        case .features: self = .features(try container.decode(ChainSpec.Features.self, forKey: key))
        case .http: self = .http(try container.decode(ChainSpec.HTTPCall.self, forKey: key))
        case .program: self = .program(try container.decode(ChainSpec.Program.self, forKey: key))
        case .chain: self = .chain(try container.decode(String.self, forKey: key))
        case .parallel: self = .parallel(try container.decode(Steps.self, forKey: key).steps)
        case .ensemble: self = .ensemble(try container.decode(ChainSpec.Ensemble.self, forKey: key))
        case .agent: self = .agent(try container.decode(ChainSpec.Agent.self, forKey: key))
        case .set: self = .set(try container.decode(JSONValue.self, forKey: key))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .prompt(let prompt): try container.encode(prompt, forKey: .prompt)
        case .model(let model): try container.encode(model, forKey: .model)
        case .retrieve(let retrieve): try container.encode(retrieve, forKey: .retrieve)
        case .features(let features): try container.encode(features, forKey: .features)
        case .http(let call): try container.encode(call, forKey: .http)
        case .program(let program): try container.encode(program, forKey: .program)
        case .chain(let chain): try container.encode(chain, forKey: .chain)
        case .parallel(let steps): try container.encode(Steps(steps: steps), forKey: .parallel)
        case .ensemble(let ensemble): try container.encode(ensemble, forKey: .ensemble)
        case .agent(let agent): try container.encode(agent, forKey: .agent)
        case .set(let value): try container.encode(value, forKey: .set)
        }
    }
}

extension ChainSpec.HeaderValue: Codable {
    package init(from decoder: any Decoder) throws {
        if let text = try? decoder.singleValueContainer().decode(String.self) {
            self = .text(text)
        } else {
            self = .secret(try SecretReference(from: decoder))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        switch self {
        case .text(let text):
            var container = encoder.singleValueContainer()
            try container.encode(text)
        case .secret(let secret): try secret.encode(to: encoder)
        }
    }
}

/// What a tool does is the one field that names it, as with steps.
extension ChainSpec.Tool: Codable {
    private enum CodingKeys: String, CodingKey {
        case name
        case description
        case input
        case effects
        case chain
        case retrieve
        case features
        case http
        case program
    }

    private struct Retrieve: Codable {
        var knowledgeBase: String
        var top: Int
    }

    private struct Features: Codable {
        var table: String
        var columns: [String]?
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            name: try container.decode(String.self, forKey: .name),
            description: try container.decode(String.self, forKey: .description),
            input: try container.decodeIfPresent(JSONValue.self, forKey: .input),
            action: try Self.action(in: container),
            effects: try container.decode(ChainSpec.Effects.self, forKey: .effects)
        )
    }

    private static func action(in container: KeyedDecodingContainer<CodingKeys>) throws -> Action {
        if let chain = try container.decodeIfPresent(String.self, forKey: .chain) { return .chain(chain) }
        if let retrieve = try container.decodeIfPresent(Retrieve.self, forKey: .retrieve) {
            return .retrieve(knowledgeBase: retrieve.knowledgeBase, top: retrieve.top)
        }
        if let features = try container.decodeIfPresent(Features.self, forKey: .features) {
            return .features(table: features.table, columns: features.columns)
        }
        if let call = try container.decodeIfPresent(ChainSpec.HTTPCall.self, forKey: .http) { return .http(call) }
        return .program(try container.decode(ChainSpec.Program.self, forKey: .program))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(self.name, forKey: .name)
        try container.encode(self.description, forKey: .description)
        try container.encodeIfPresent(self.input, forKey: .input)
        try container.encode(self.effects, forKey: .effects)
        switch self.action {
        case .chain(let chain): try container.encode(chain, forKey: .chain)
        case .retrieve(let base, let top):
            try container.encode(Retrieve(knowledgeBase: base, top: top), forKey: .retrieve)
        case .features(let table, let columns):
            try container.encode(Features(table: table, columns: columns), forKey: .features)
        case .http(let call): try container.encode(call, forKey: .http)
        case .program(let program): try container.encode(program, forKey: .program)
        }
    }
}
