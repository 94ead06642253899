extension PromptTemplateSpec.Examples: Codable {
    private enum CodingKeys: String, CodingKey {
        case dataset
        case limit
        case columns
    }

    package init(from decoder: any Decoder) throws {
        if let pairs = try? decoder.singleValueContainer().decode([Pair].self) {
            self.init(dataset: nil, limit: nil, inline: pairs)
        } else {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            self.init(
                dataset: try container.decode(String.self, forKey: .dataset),
                limit: try container.decodeIfPresent(Int.self, forKey: .limit),
                // Facts written by versions that knew one pair of columns lack them.
                columns: try container.decodeIfPresent(Columns.self, forKey: .columns) ?? Columns(),
                inline: nil
            )
        }
    }

    package func encode(to encoder: any Encoder) throws {
        if let pairs = self.inline {
            var container = encoder.singleValueContainer()
            try container.encode(pairs)
        } else {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encodeIfPresent(self.dataset, forKey: .dataset)
            try container.encodeIfPresent(self.limit, forKey: .limit)
            if self.columns != Columns() { try container.encode(self.columns, forKey: .columns) }
        }
    }
}

extension PromptTemplateSpec.Guard: Codable {
    private enum CodingKeys: String, CodingKey {
        case maxTokens
        case deny
        case topics
        case action
    }

    private struct Deny: Codable {
        var pattern: String
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let action = try container.decode(PromptTemplateSpec.Guard.Action.self, forKey: .action)
        if let limit = try container.decodeIfPresent(Int.self, forKey: .maxTokens) {
            self.init(rule: .maxTokens(limit), action: action)
        } else if let topics = try container.decodeIfPresent(PromptTemplateSpec.Topics.self, forKey: .topics) {
            self.init(rule: .topics(topics), action: action)
        } else {
            let pattern = try container.decode(Deny.self, forKey: .deny).pattern
            self.init(rule: .deny(pattern: pattern), action: action)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self.rule {
        case .maxTokens(let limit): try container.encode(limit, forKey: .maxTokens)
        case .deny(let pattern): try container.encode(Deny(pattern: pattern), forKey: .deny)
        case .topics(let topics): try container.encode(topics, forKey: .topics)
        }
        try container.encode(self.action, forKey: .action)
    }
}
