internal import Planning
internal import Schema

/// `features`: a row by its key, as an object of its columns; null where there is no such row.
struct FeaturesAction: StepPerformer {
    let table: ResourceIdentity
    /// The columns of the key, in order.
    let keyColumns: [String]
    let columns: [String]?

    func perform(_ input: JSONValue, in context: StepContext) async throws -> StepAnswer {
        guard let value = input["key"], let key = self.key(value) else {
            let wanted = self.keyColumns.joined(separator: ", ")
            let message = "step '\(context.path)': its key must be a value for \(wanted)"
            throw CallError(context.step.blame(forInput: "key"), message)
        }
        guard let rows = context.run.resources.tables[self.table] else {
            throw CallError(.unavailable, "step '\(context.path)': \(self.table) is not ready", retryAfter: 1)
        }
        do {
            let row = try await rows.row(key, columns: self.columns)
            return StepAnswer(output: row.map { .object($0.values) } ?? .null)
        } catch let error as MartletError where error.code == "FeatureKeyInvalid" {
            let code = context.step.blame(forInput: "key")
            throw CallError(code, "step '\(context.path)': \(error.message)")
        }
    }

    /// The value of each of the key's columns; nil where one is missing.
    private func key(_ value: JSONValue) -> [JSONValue]? {
        switch value {
        case .object(let members):
            let parts = self.keyColumns.compactMap { members[$0] }
            return parts.count == self.keyColumns.count ? parts : nil
        case .array(let parts): return parts.count == self.keyColumns.count ? parts : nil
        case .null: return nil
        case .bool, .integer, .number, .string: return self.keyColumns.count == 1 ? [value] : nil
        }
    }
}
