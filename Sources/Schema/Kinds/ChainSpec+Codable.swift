extension ChainSpec.OnError: Codable {
    private enum CodingKeys: String, CodingKey {
        case use
    }

    package init(from decoder: any Decoder) throws {
        if let word = try? decoder.singleValueContainer().decode(String.self) {
            self = word == "skip" ? .skip : .fail
        } else {
            self = .use(try decoder.container(keyedBy: CodingKeys.self).decode(JSONValue.self, forKey: .use))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        switch self {
        case .fail:
            var container = encoder.singleValueContainer()
            try container.encode("fail")
        case .skip:
            var container = encoder.singleValueContainer()
            try container.encode("skip")
        case .use(let value):
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(value, forKey: .use)
        }
    }
}

extension ChainSpec.Condition: Codable {
    private enum CodingKeys: String, CodingKey {
        case value
        case `in`
        case equals
        case not
        case all
        case any
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        if let inner = try container.decodeIfPresent(ChainSpec.Condition.self, forKey: .not) {
            self = .not(inner)
        } else if let inner = try container.decodeIfPresent([ChainSpec.Condition].self, forKey: .all) {
            self = .all(inner)
        } else if let inner = try container.decodeIfPresent([ChainSpec.Condition].self, forKey: .any) {
            self = .any(inner)
        } else {
            let value = try container.decode(JSONValue.self, forKey: .value)
            if let choices = try container.decodeIfPresent([JSONValue].self, forKey: .in) {
                self = .isIn(value: value, choices: choices)
            } else if container.contains(.equals) {
                self = .equals(value: value, to: try container.decode(JSONValue.self, forKey: .equals))
            } else {
                self = .present(value: value)
            }
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .isIn(let value, let choices):
            try container.encode(value, forKey: .value)
            try container.encode(choices, forKey: .in)
        case .equals(let value, let other):
            try container.encode(value, forKey: .value)
            try container.encode(other, forKey: .equals)
        case .present(let value):
            try container.encode(value, forKey: .value)
        case .not(let inner):
            try container.encode(inner, forKey: .not)
        case .all(let inner):
            try container.encode(inner, forKey: .all)
        case .any(let inner):
            try container.encode(inner, forKey: .any)
        }
    }
}

extension ChainSpec.Step: Codable {
    private enum CodingKeys: String, CodingKey {
        case name
        case when
        case with
        case timeout
        case retries
        case onError
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            name: try container.decode(String.self, forKey: .name),
            when: try container.decodeIfPresent(ChainSpec.Condition.self, forKey: .when),
            action: try ChainSpec.Action(from: decoder),
            with: try container.decodeIfPresent([String: JSONValue].self, forKey: .with) ?? [:],
            timeout: try container.decodeIfPresent(ManifestDuration.self, forKey: .timeout),
            retries: try container.decodeIfPresent(ChainSpec.Retries.self, forKey: .retries),
            onError: try container.decodeIfPresent(ChainSpec.OnError.self, forKey: .onError) ?? .fail
        )
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(self.name, forKey: .name)
        try container.encodeIfPresent(self.when, forKey: .when)
        try self.action.encode(to: encoder)
        try container.encode(self.with, forKey: .with)
        try container.encodeIfPresent(self.timeout, forKey: .timeout)
        try container.encodeIfPresent(self.retries, forKey: .retries)
        try container.encode(self.onError, forKey: .onError)
    }
}
