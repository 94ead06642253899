package import Schema

/// The fields that manifests may have and that nothing in a version carries out.
///
/// A field that were passed over would look like one that is obeyed. So each field of a kind that is carried out either
/// has an effect or stands here, and a test goes over all declarations to make sure.
package struct UnavailableFields: Sendable {
    /// A declared field, and which of its values ask for what is not there.
    struct Row: Sendable {
        /// As ``Shape/fieldPaths`` spells it.
        var field: String
        /// Whether a value that is not the default, in its mapping, asks for what is not there.
        var isRefused: @Sendable (_ value: JSONValue, _ parent: JSONValue) -> Bool = { _, _ in true }
        /// What is asked for, for people.
        var words: @Sendable (Shape.FieldVisit) -> String = { "\($0.path)\($0.value.shortSpelling)" }
    }

    private let rows: [Kind: [String: Row]]
    /// The declared fields around those of the rows; no others need be entered.
    private let outer: [Kind: Set<String>]

    init(_ rows: [Kind: [Row]]) {
        self.rows = rows.mapValues { rows in
            Dictionary(rows.map { ($0.field, $0) }, uniquingKeysWith: { first, _ in first })
        }
        self.outer = rows.mapValues { rows in
            Set(
                rows.flatMap { row in
                    row.field.indices.filter { ".[".contains(row.field[$0]) }.map { String(row.field[..<$0]) }
                }
            )
        }
    }

    /// Everything is available: for tests of what one version refuses and the next one does.
    package static let none = UnavailableFields([:])

    /// What ``Availability`` refuses in this version.
    package static let ofThisVersion = UnavailableFields([
        .model: [
            // A model that is loaded has one copy at least; `load: lazy` says that it need not be.
            Row(field: "replicas", isRefused: { value, _ in value == 0 })
        ],
        .endpoint: [
            // All of these matter only while two revisions share the traffic, or after. A strategy speaks for what it needs.
            Row(field: "rollout.strategy", words: { "rollout strategy\($0.value.shortSpelling)" }),
            Row(field: "rollout.steps", isRefused: { _, rollout in rollout["strategy"] == nil }),
            Row(field: "rollout.stickyBy"),
            Row(field: "rollout.keepOld"),
            Row(field: "rollout.onFailure"),
            Row(field: "rollout.shadow", isRefused: { _, rollout in rollout["strategy"] == nil }),
            Row(field: "rollout.experiment", isRefused: { _, rollout in rollout["strategy"] == nil }),
            // Callers have no keys, so that no caller is a tenant.
            Row(field: "tenants"),
            Row(field: "access.tenants"),
        ],
    ])

    /// The declared fields of a kind of which no value, or not every value, is available.
    package func fields(of kind: Kind) -> Set<String> {
        Set((self.rows[kind] ?? [:]).keys)
    }

    /// What a resource asks for by its fields and does not get, in words that a sentence can begin with.
    func requests(of resource: Resource) -> [String] {
        let kind = resource.identity.kind
        guard let rows = self.rows[kind], let outer = self.outer[kind] else { return [] }
        var requests: [String] = []
        kind.shape.visitFields(of: resource.canonicalSpec, at: FieldPath("spec")) { visit in
            guard let row = rows[visit.declaration], row.isRefused(visit.value, visit.parent) else {
                return outer.contains(visit.declaration)
            }
            requests.append(row.words(visit))
            return false
        }
        return requests
    }
}

extension JSONValue {
    /// A space and the value where it is short enough to be told beside its field.
    fileprivate var shortSpelling: String {
        switch self {
        case .string(let text): text.count <= 40 ? " '\(text)'" : ""
        case .bool, .integer, .number: " \(self.canonicalJSON)"
        case .null, .array, .object: ""
        }
    }
}
