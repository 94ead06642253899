/// `FeatureTable`: rows that a chain looks up by key.
package struct FeatureTableSpec: Sendable, Hashable {
    /// What a column holds.
    package enum ColumnType: String, Sendable, Hashable, Codable, CaseIterable {
        case string
        case integer
        case number
        case boolean
        case timestamp
        case json
    }

    /// A SQLite file, and which of its rows are meant.
    package struct SQLite: Sendable, Hashable, Codable {
        package var source: ModelSpec.Source
        package var table: String?
        /// A SELECT, instead of a table.
        package var query: String?
    }

    /// How old a row may be.
    package struct Freshness: Sendable, Hashable, Codable {
        package enum Reaction: String, Sendable, Hashable, Codable, CaseIterable {
            case fail
            case warn
        }

        /// The column with each row's time; nil: the file's age counts.
        package var column: String?
        package var maxAge: ManifestDuration
        package var onStale: Reaction
    }

    package var dataset: String?
    package var sqlite: SQLite?
    /// The columns of the key, at least one.
    package var key: [String]
    /// Types by column; one that is not named is taken as it is.
    package var columns: [String: ColumnType]
    package var freshness: Freshness?
}

extension FeatureTableSpec: Codable {
    private enum CodingKeys: String, CodingKey {
        case dataset
        case sqlite
        case key
        case columns
        case freshness
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.dataset = try container.decodeIfPresent(String.self, forKey: .dataset)
        self.sqlite = try container.decodeIfPresent(SQLite.self, forKey: .sqlite)
        // One column may stand without a list around it.
        if let column = try? container.decode(String.self, forKey: .key) {
            self.key = [column]
        } else {
            self.key = try container.decode([String].self, forKey: .key)
        }
        self.columns = try container.decode([String: ColumnType].self, forKey: .columns)
        self.freshness = try container.decodeIfPresent(Freshness.self, forKey: .freshness)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(self.dataset, forKey: .dataset)
        try container.encodeIfPresent(self.sqlite, forKey: .sqlite)
        try container.encode(self.key, forKey: .key)
        try container.encode(self.columns, forKey: .columns)
        try container.encodeIfPresent(self.freshness, forKey: .freshness)
    }
}
