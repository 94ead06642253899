internal import Planning
internal import Schema

/// How one resource differs between two commits.
struct ResourceChange: Encodable, Hashable {
    /// One field that differs; a value that is not there is nil.
    struct Field: Encodable, Hashable {
        /// `spec.messages[0].content`; `spec.source (its content)` where a file changed and its path did not.
        var path: String
        var old: JSONValue?
        var new: JSONValue?
    }

    var resource: ResourceIdentity
    var verb: RevisionDiff.Change.Verb
    /// `path:line:column` in the newer commit, of what was removed in the older one.
    var location: SourceLocation
    /// Sorted by path; empty for what was added or removed.
    var fields: [Field]

    /// All that differs, sorted by identity. A resource whose document cannot be read in `new` is not called removed.
    static func all(from old: DesiredState, to new: DesiredState) -> [ResourceChange] {
        let contents = ResourceChange.contents(from: old, to: new)
        let identities = Set(old.resources.keys).union(new.resources.keys).sorted()
        return identities.compactMap { identity in
            switch (old.resources[identity], new.resources[identity]) {
            case (let before?, let after?):
                var fields =
                    before.saysTheSame(as: after)
                    ? [] : ResourceChange.fields(from: before.document, to: after.document, at: "")
                let paths = Set(fields.map(\.path))
                fields += (contents[identity] ?? []).filter { !paths.contains($0.path) }
                return fields.isEmpty
                    ? nil : ResourceChange(resource: identity, verb: .changed, location: after.location, fields: fields)
            case (nil, let after?):
                return ResourceChange(resource: identity, verb: .added, location: after.location, fields: [])
            case (let before?, nil):
                let isUnreadable = new.blocked[identity] != nil || new.retained.contains(identity)
                return isUnreadable
                    ? nil : ResourceChange(resource: identity, verb: .removed, location: before.location, fields: [])
            case (nil, nil):
                return nil
            }
        }
    }

    /// What two values differ in, down to the smallest value that does.
    static func fields(from old: JSONValue, to new: JSONValue, at path: String) -> [Field] {
        if old == new { return [] }
        switch (old, new) {
        case (.object(let before), .object(let after)):
            return Set(before.keys).union(after.keys).sorted().flatMap { key in
                let path = path.isEmpty ? key : "\(path).\(key)"
                return ResourceChange.fields(before[key], after[key], at: path)
            }
        case (.array(let before), .array(let after)):
            return (0..<max(before.count, after.count)).flatMap { index in
                ResourceChange.fields(
                    before.indices.contains(index) ? before[index] : nil,
                    after.indices.contains(index) ? after[index] : nil,
                    at: "\(path)[\(index)]"
                )
            }
        case (.null, _), (.bool, _), (.integer, _), (.number, _), (.string, _), (.array, _), (.object, _):
            return [Field(path: path, old: old, new: new)]
        }
    }

    private static func fields(_ old: JSONValue?, _ new: JSONValue?, at path: String) -> [Field] {
        guard let old, let new else { return [Field(path: path, old: old, new: new)] }
        return ResourceChange.fields(from: old, to: new, at: path)
    }

    /// Changes that no manifest shows: files whose content changed and whose path did not.
    private static func contents(from old: DesiredState, to new: DesiredState) -> [ResourceIdentity: [Field]] {
        var contents: [ResourceIdentity: [Field]] = [:]
        for (variant, graph) in new.variants {
            guard let before = old.variants[variant], before.revision != graph.revision else { continue }
            for change in RevisionDiff(from: before, to: graph).changes where change.verb == .changed {
                let isUnchanged =
                    old.resources[change.resource]?.canonicalSpec == new.resources[change.resource]?.canonicalSpec
                guard isUnchanged, let path = change.field else { continue }
                let field = Field(path: path, old: nil, new: nil)
                if contents[change.resource]?.contains(field) != true {
                    contents[change.resource, default: []] += [field]
                }
            }
        }
        return contents
    }
}

extension Resource {
    /// Whether two manifests of one identity agree: fast for what two commits share.
    fileprivate func saysTheSame(as other: Resource) -> Bool {
        self.canonicalSpec == other.canonicalSpec && self.labels == other.labels
            && self.annotations == other.annotations
    }

    /// What a manifest says beyond its identity, defaults left out.
    fileprivate var document: JSONValue {
        var members: [String: JSONValue] = ["spec": self.canonicalSpec]
        let metadata = ["labels": self.labels, "annotations": self.annotations].filter { !$0.value.isEmpty }
        if !metadata.isEmpty {
            members["metadata"] = .object(metadata.mapValues { .object($0.mapValues { .string($0) }) })
        }
        return .object(members)
    }
}
