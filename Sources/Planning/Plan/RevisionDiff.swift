internal import Foundation
package import Schema

/// What differs between two revisions of a variant: which resources, down to the field.
package struct RevisionDiff: Sendable, Hashable, Codable {
    /// One difference.
    package struct Change: Sendable, Hashable, Codable {
        package enum Verb: String, Sendable, Hashable, Codable {
            case added
            case removed
            case changed
        }

        package var resource: ResourceIdentity
        package var verb: Verb
        /// `spec.messages[0].content`; nil where the whole resource was added or removed.
        package var field: String?

        package init(resource: ResourceIdentity, verb: Verb, field: String? = nil) {
            self.resource = resource
            self.verb = verb
            self.field = field
        }
    }

    /// The endpoint's own first, then chains, templates, models, knowledge bases and tables.
    package var changes: [Change]

    package init(from old: RevisionGraph, to new: RevisionGraph) {
        let endpoint = new.variant.resource
        let isServedAlike = old.serve == new.serve && old.chat == new.chat
        let fields =
            isServedAlike
            ? []
            : JSONValue.changedFields(
                from: old.serving,
                to: new.serving,
                at: new.variant.tenant.map { "spec.tenants[\($0)]" } ?? "spec"
            )
        self.changes = fields.map { Change(resource: endpoint, verb: .changed, field: $0) }
        self.changes += RevisionDiff.changes(
            old.chains.map { ($0.identity, $0.digest, $0.spec) },
            new.chains.map { ($0.identity, $0.digest, $0.spec) }
        ) { JSONValue.changedFields(from: $0.json, to: $1.json, at: "spec") }
        self.changes += RevisionDiff.programs(from: old.programs, to: new.programs)
        self.changes += RevisionDiff.changes(
            old.templates.map { ($0.identity, $0.digest, $0) },
            new.templates.map { ($0.identity, $0.digest, $0) }
        ) { RevisionDiff.fields($0, $1) }
        self.changes += RevisionDiff.changes(
            old.models.map { ($0.identity, $0.digest, $0.instance) },
            new.models.map { ($0.identity, $0.digest, $0.instance) }
        ) { RevisionDiff.fields($0, $1) }
        guard old.hasLookups || new.hasLookups else { return }
        self.changes += RevisionDiff.changes(
            old.knowledge.map { ($0.identity, $0.digest, $0) },
            new.knowledge.map { ($0.identity, $0.digest, $0) }
        ) { RevisionDiff.fields($0, $1) }
        self.changes += RevisionDiff.changes(
            old.tables.map { ($0.identity, $0.digest, $0) },
            new.tables.map { ($0.identity, $0.digest, $0) }
        ) { RevisionDiff.fields($0, $1) }
    }

    /// The first change as a plan's cause.
    package var cause: PlanCause? {
        self.changes.first.map { PlanCause(resource: $0.resource, field: $0.field) }
    }

    /// `PromptTemplate/default/reply changed in spec.messages[0].content`, and how many more there are.
    package var summary: String {
        guard let first = self.changes.first else { return "what it is made of changed" }
        let resource = self.changes.filter { $0.resource == first.resource }
        let fields = resource.compactMap(\.field)
        let shown = fields.prefix(3).joined(separator: ", ") + (fields.count > 3 ? " and \(fields.count - 3) more" : "")
        var text = "\(first.resource) \(first.verb.rawValue)" + (shown.isEmpty ? "" : " in \(shown)")
        let others = Set(self.changes.map(\.resource)).subtracting([first.resource]).sorted()
        if let other = others.first {
            text += ", \(other)" + (others.count > 1 ? " and \(others.count - 1) more" : "") + " too"
        }
        return text
    }

    private static func changes<Part: Equatable>(
        _ old: [(ResourceIdentity, Digest, Part)],
        _ new: [(ResourceIdentity, Digest, Part)],
        _ fields: (Part, Part) -> [String]
    ) -> [Change] {
        let before = Dictionary(old.map { ($0.0, ($0.1, $0.2)) }, uniquingKeysWith: { first, _ in first })
        let after = Set(new.map(\.0))
        var changes: [Change] = []
        for (identity, digest, part) in new {
            guard let (oldDigest, oldPart) = before[identity] else {
                changes.append(Change(resource: identity, verb: .added))
                continue
            }
            // Most parts are as they were, and finding their fields costs a hundred times the comparison.
            let names = oldPart == part ? [] : fields(oldPart, part)
            if names.isEmpty, digest != oldDigest {
                changes.append(Change(resource: identity, verb: .changed, field: "spec"))
            }
            changes += names.map { Change(resource: identity, verb: .changed, field: $0) }
        }
        return changes + old.filter { !after.contains($0.0) }.map { Change(resource: $0.0, verb: .removed) }
    }

    /// The files of programs that are not what they were, each at the field that names its program.
    private static func programs(from old: [RevisionGraph.Program], to new: [RevisionGraph.Program]) -> [Change] {
        new.flatMap { program -> [Change] in
            let before = old.first {
                $0.identity == program.identity && $0.field == program.field && $0.files.path == program.files.path
            }
            guard let before, before.files != program.files else { return [] }
            return FoundFiles.changedPaths(from: before.files, to: program.files).map {
                Change(resource: program.identity, verb: .changed, field: "\(program.field) (\($0))")
            }
        }
    }

    private static func fields(_ old: RevisionGraph.Template, _ new: RevisionGraph.Template) -> [String] {
        let fields = JSONValue.changedFields(from: old.spec.json, to: new.spec.json, at: "spec")
        let readsSame = old.spec.examples?.dataset == new.spec.examples?.dataset
        let isDataset = new.spec.examples?.dataset != nil && readsSame && old.examples != new.examples
        guard isDataset, fields.isEmpty else { return fields }
        return ["spec.examples.dataset" + (new.examplesFile.map { " (\($0))" } ?? "")]
    }

    /// What a document's own bytes change is named by its path.
    private static func fields(_ old: RevisionGraph.KnowledgeBase, _ new: RevisionGraph.KnowledgeBase) -> [String] {
        let before = Dictionary(old.documents.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        let after = Set(new.documents.map(\.path))
        var files = new.documents.compactMap { document -> String? in
            guard let known = before[document.path] else { return "\(document.path) (new)" }
            return known.artifact.identity == document.artifact.identity ? nil : "\(document.path) (its content)"
        }
        files += old.documents.filter { !after.contains($0.path) }.map { "\($0.path) (gone)" }
        return JSONValue.changedFields(from: old.spec.json, to: new.spec.json, at: "spec") + files
    }

    private static func fields(_ old: RevisionGraph.FeatureTable, _ new: RevisionGraph.FeatureTable) -> [String] {
        let fields = JSONValue.changedFields(from: old.spec.json, to: new.spec.json, at: "spec")
        guard old.artifact.identity != new.artifact.identity else { return fields }
        return fields + ["\(new.artifact.path) (its content)"]
    }

    private static func fields(_ old: InstanceSpec, _ new: InstanceSpec) -> [String] {
        var fields: [String] = []
        if old.engine != new.engine { fields.append("spec.engine") }
        if old.artifact?.identity != new.artifact?.identity {
            fields.append(old.artifact?.path == new.artifact?.path ? "spec.source (its content)" : "spec.source.uri")
        }
        fields += UpstreamSet.changedFields(from: old.upstreams, to: new.upstreams)
        let (before, after) = (JSONValue.array(old.adapters.map(\.json)), JSONValue.array(new.adapters.map(\.json)))
        fields += JSONValue.changedFields(from: before, to: after, at: "spec.adapters")
        fields += JSONValue.changedFields(from: .object(old.options), to: .object(new.options), at: "spec.options")
        if old.threads != new.threads { fields.append("spec.resources.threads") }
        if old.declaredMemory != new.declaredMemory { fields.append("spec.resources.memory") }
        if old.copies != new.copies { fields.append("spec.replicas") }
        if old.warmUp != new.warmUp { fields.append("spec.warmUp") }
        return fields
    }
}

extension RevisionGraph {
    /// What of the endpoint itself is part of the revision.
    fileprivate var serving: JSONValue {
        var members: [String: JSONValue] = ["serve": self.serve.json]
        members["chat"] = self.chat?.json
        return .object(members)
    }
}

extension InstanceSpec.Adapter {
    fileprivate var json: JSONValue {
        ["name": .string(self.name), "source": .string(self.artifact.identity), "scale": .number(self.scale)]
    }
}

extension Encodable {
    /// The value as JSON; null should it have none, which no spec does.
    fileprivate var json: JSONValue {
        guard let data = try? JSONEncoder().encode(self), let value = try? JSONValue(parsing: Array(data)) else {
            return .null
        }
        return value
    }
}
