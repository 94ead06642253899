internal import Schema

/// Turns one YAML document into a resource, or into everything that is wrong with it.
struct DocumentReader {
    let reader: ManifestReader
    let path: String
    private let scope: NamespaceScope
    private let namespace: String

    /// - Parameter namespace: Of documents that name none; nil: the one of the source.
    init(reader: ManifestReader, path: String, namespace: String? = nil) {
        self.reader = reader
        self.path = path
        self.scope = reader.scope(of: path)
        self.namespace = namespace ?? self.scope.namespace
    }

    /// Whose document it is.
    private enum Owner {
        case ours
        /// Ours by its group, in a version that this program does not read.
        case otherVersion(YAMLNode)
        case someoneElse

        var isSomeoneElse: Bool {
            switch self {
            case .someoneElse: true
            case .ours, .otherVersion: false
            }
        }
    }

    func read(_ document: YAMLDocument, into file: inout ManifestFile) {
        guard let root = document.root, !root.isNull else {
            self.report(document.problems, as: nil, into: &file)
            file.unreadable = file.unreadable || !document.problems.isEmpty
            return
        }
        let identity = self.identity(of: root)
        let owner = self.owner(of: root, isComplete: document.isComplete)
        if let identity, !owner.isSomeoneElse, !self.scope.permits(identity.namespace) {
            // It says nothing about the resource, which belongs to another source: not even that it is broken.
            self.report(document.problems, as: nil, into: &file)
            let mark = root["metadata"]?["namespace"]?.mark ?? root.mark
            file.diagnostics.append(
                Diagnostic(at: mark.location(in: self.path), self.scope.refusal(of: identity.namespace))
            )
            return
        }
        switch owner {
        case .someoneElse:
            file.skippedForeignDocuments += 1
        case .otherVersion(let version):
            let problem = YAMLSyntaxError(
                mark: version.mark,
                message: "unknown apiVersion \(version.spelling); did you mean '\(ManifestEnvelope.apiVersion)'?"
            )
            self.report(document.problems + [problem], as: identity, into: &file)
            self.addBroken(identity, root, to: &file)
        case .ours:
            self.report(document.problems, as: identity, into: &file)
            guard document.isComplete else {
                self.addBroken(identity, root, to: &file)
                return
            }
            self.readManifest(root, identity, isSound: document.problems.isEmpty, into: &file)
        }
    }

    private func readManifest(
        _ root: YAMLNode,
        _ identity: ResourceIdentity?,
        isSound: Bool,
        into file: inout ManifestFile
    ) {
        var shapes = ShapeReader(path: self.path, limit: self.reader.limits.diagnostics)
        var value: JSONValue?
        if let kind = shapes.readKind(of: root) {
            shapes.label = kind.rawValue
            value = shapes.read(root, as: .object(kind.documentShape))
            if let spec = value?["spec"] {
                for finding in kind.findings(in: spec, knownEngines: self.reader.knownEngines) {
                    shapes.report(finding, in: root)
                }
            }
        }
        file.diagnostics += shapes.diagnostics.map { diagnostic in
            var diagnostic = diagnostic
            diagnostic.resource = identity
            return diagnostic
        }
        guard let identity, let value, isSound, !shapes.hasErrors else {
            self.addBroken(identity, root, to: &file)
            return
        }
        do {
            file.resources.append(try self.resource(identity, value, root, shapes.fieldLocations))
        } catch {
            // A value that passed its shape decodes; should a declaration and its type disagree, that is our fault.
            let message = "Martlet's own declaration of \(identity.kind.rawValue) is wrong, please report it: \(error)"
            file.diagnostics.append(Diagnostic(at: root.mark.location(in: self.path), message, resource: identity))
            self.addBroken(identity, root, to: &file)
        }
    }

    private func resource(
        _ identity: ResourceIdentity,
        _ value: JSONValue,
        _ root: YAMLNode,
        _ fieldLocations: [String: SourceLocation]
    ) throws -> Resource {
        func strings(_ name: String) -> [String: String] {
            (value["metadata"]?[name]?.object ?? [:]).compactMapValues(\.string)
        }
        let (shape, spec, shared) = (identity.kind.shape, value["spec"] ?? [:], self.reader.shared)
        let canonical = shared?.sharing(shape.canonical(spec)) ?? shape.canonical(spec)
        let (labels, annotations) = (strings("labels"), strings("annotations"))
        return Resource(
            identity: identity,
            labels: shared?.sharing(labels) ?? labels,
            annotations: shared?.sharing(annotations) ?? annotations,
            // Made of the canonical one, it shares what that one shares.
            spec: try ResourceSpec(kind: identity.kind, value: shape.complete(canonical)),
            canonicalSpec: canonical,
            location: root.mark.location(in: self.path),
            fieldLocations: fieldLocations
        )
    }

    private func owner(of root: YAMLNode, isComplete: Bool) -> Owner {
        guard case .mapping(let mapping) = root.content, !mapping.entries.isEmpty else {
            return isComplete ? .someoneElse : .ours
        }
        let isOurKind = root["kind"]?.scalar.map { Kind(rawValue: $0.text) != nil } ?? false
        guard let version = root["apiVersion"] else { return isOurKind || !isComplete ? .ours : .someoneElse }
        // Of a document that breaks off, the list or mapping may have swallowed what would tell.
        guard let text = version.scalar?.text else { return isOurKind || !isComplete ? .ours : .someoneElse }
        if text == ManifestEnvelope.apiVersion { return .ours }
        if text == ManifestEnvelope.group || text.hasPrefix(ManifestEnvelope.group + "/") {
            return .otherVersion(version)
        }
        let isSlip = NearestWord.to(text, among: [ManifestEnvelope.apiVersion]) != nil
        return isOurKind && isSlip ? .otherVersion(version) : .someoneElse
    }

    /// Which resource a document is about, if it says so plainly.
    func identity(of root: YAMLNode) -> ResourceIdentity? {
        guard let kind = root["kind"]?.scalar.flatMap({ Kind(rawValue: $0.text) }),
            let metadata = root["metadata"], let name = metadata["name"]?.scalar?.text, TextFormat.isLabel(name)
        else { return nil }
        let namespace: String
        switch metadata["namespace"] {
        case nil: namespace = self.namespace
        case let node? where node.isNull: namespace = self.namespace
        case let node?: namespace = node.scalar?.text ?? ""
        }
        guard TextFormat.isLabel(namespace) else { return nil }
        return ResourceIdentity(kind, namespace: namespace, name: name)
    }

    private func addBroken(_ identity: ResourceIdentity?, _ root: YAMLNode, to file: inout ManifestFile) {
        if let identity {
            file.broken[identity] = root.mark.location(in: self.path)
        } else {
            file.unreadable = true
        }
    }

    private func report(_ problems: [YAMLSyntaxError], as identity: ResourceIdentity?, into file: inout ManifestFile) {
        file.diagnostics += problems.prefix(self.reader.limits.diagnostics).map { problem in
            Diagnostic(at: problem.mark.location(in: self.path), problem.message, resource: identity)
        }
    }
}

extension YAMLNode {
    /// Whether there is nothing, or `~` or `null` without quotes.
    var isNull: Bool { self.scalar?.isNull ?? false }

    /// The value as messages show it.
    var spelling: String {
        switch self.content {
        case .mapping: return "a mapping"
        case .sequence: return "a list"
        case .invalid: return "nothing"
        case .scalar(let scalar):
            if scalar.core == .null { return "null" }
            let shown = scalar.text.unicodeScalars.prefix(40)
            let isCut = shown.endIndex < scalar.text.unicodeScalars.endIndex
            let text = shown.map {
                $0.value < 0x20 || $0.value == 0x7F ? "\\u{\(String($0.value, radix: 16))}" : "\($0)"
            }
            return "'\(text.joined())\(isCut ? "…" : "")'"
        }
    }
}
