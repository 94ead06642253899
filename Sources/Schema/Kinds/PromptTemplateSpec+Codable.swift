extension PromptTemplateSpec.Examples: Codable {
    private enum CodingKeys: String, CodingKey {
        case dataset
        case limit
    }

    package init(from decoder: any Decoder) throws {
        if let pairs = try? decoder.singleValueContainer().decode([Pair].self) {
            self.init(dataset: nil, limit: nil, inline: pairs)
        } else {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            self.init(
                dataset: try container.decode(String.self, forKey: .dataset),
                limit: try container.decodeIfPresent(Int.self, forKey: .limit),
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
        }
    }
}
