/// `Dataset`: rows in the repository or elsewhere.
package struct DatasetSpec: Sendable, Hashable, Codable {
    package enum Format: String, Sendable, Hashable, Codable, CaseIterable {
        case jsonl
        case csv
    }

    package var source: ModelSpec.Source
    /// Nil: told from the file's ending.
    package var format: Format?
    package var columns: [String: JSONValue]
}
