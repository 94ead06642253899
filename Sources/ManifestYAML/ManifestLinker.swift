internal import Schema

/// Checks what one resource says about others.
struct ManifestLinker {
    /// Names that somebody may have meant, by kind.
    private struct Names {
        var ofNamespaces: [String: [String]] = [:]
        var namespaces: [String: [String]] = [:]
    }

    private let declarations: [ResourceIdentity: [ManifestIndex.Declaration]]
    private let remembered: Set<ResourceIdentity>
    private let givesHints: Bool
    /// Gathered when the first hint is asked for.
    private var names: [Kind: Names] = [:]

    init(index: ManifestIndex) {
        self.declarations = index.declarations
        self.remembered = index.remembered
        self.givesHints = index.linking.givesHints
    }

    /// What is wrong where one identity is declared more than once: an error at each place that names the others.
    static func duplicates(
        _ identity: ResourceIdentity,
        _ declarations: [ManifestIndex.Declaration]
    ) -> [Diagnostic] {
        declarations.indices.map { index in
            let others = declarations.indices.filter { $0 != index }.map { declarations[$0].place }
            let here = declarations[index].origin.map { ", here through \($0.overlay)" } ?? ""
            return Diagnostic(
                at: declarations[index].location,
                "\(identity) is declared more than once\(here), also at \(others.joined(separator: ", ")); "
                    + "none of them counts",
                resource: identity
            )
        }
    }

    /// Names that lead nowhere, and steps that ask their templates and models for what those do not have.
    mutating func diagnostics(of resource: Resource) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        for reference in resource.references {
            guard !self.exists(reference.target) else { continue }
            diagnostics.append(
                Diagnostic(
                    at: reference.location,
                    "there is no \(reference.target.kind.rawValue) '\(reference.target.name)' in namespace "
                        + "'\(reference.target.namespace)'\(self.hint(for: reference.target, from: resource.identity))",
                    resource: resource.identity
                )
            )
        }
        guard case .chain(let chain) = resource.spec else { return diagnostics }
        for (number, step) in chain.steps.enumerated() {
            guard case .prompt(let prompt) = step.action else { continue }
            let place = StepPlace(resource: resource, path: FieldPath("spec", "steps").item(number))
            diagnostics += self.variables(of: step, prompt, at: place) + self.adapter(of: prompt, at: place)
        }
        return diagnostics
    }

    /// A step of a chain, and where its fields stand.
    private struct StepPlace {
        var resource: Resource
        var path: FieldPath

        func error(at field: FieldPath, _ message: String) -> Diagnostic {
            let location = self.resource.fieldLocations[field.description] ?? self.resource.location
            return Diagnostic(at: location, message, resource: self.resource.identity)
        }
    }

    private func variables(
        of step: ChainSpec.Step,
        _ prompt: ChainSpec.PromptStep,
        at place: StepPlace
    ) -> [Diagnostic] {
        let namespace = place.resource.identity.namespace
        guard let identity = ResourceIdentity(.promptTemplate, reference: prompt.template, in: namespace),
            case .promptTemplate(let template)? = self.declarations[identity]?.only?.spec
        else { return [] }
        var diagnostics: [Diagnostic] = []
        for name in step.with.keys.sorted() where template.variables[name] == nil {
            let hint = NearestWord.hint(for: name, among: template.variables.keys)
            diagnostics.append(
                place.error(at: place.path.field("with").field(name), "\(identity) has no variable '\(name)'\(hint)")
            )
        }
        for (name, variable) in template.variables.sorted(by: { $0.key < $1.key })
        where variable.default == nil && step.with[name] == nil {
            diagnostics.append(
                place.error(
                    at: place.path.field("prompt").field("template"),
                    "\(identity) needs the variable '\(name)'; give it in 'with' of step '\(step.name)'"
                )
            )
        }
        return diagnostics
    }

    private func adapter(of prompt: ChainSpec.PromptStep, at place: StepPlace) -> [Diagnostic] {
        let namespace = place.resource.identity.namespace
        guard let adapter = prompt.adapter,
            let identity = ResourceIdentity(.model, reference: prompt.model, in: namespace),
            case .model(let model)? = self.declarations[identity]?.only?.spec,
            !model.adapters.contains(where: { $0.name == adapter })
        else { return [] }
        let hint = NearestWord.hint(for: adapter, among: model.adapters.map(\.name))
        let field = place.path.field("prompt").field("adapter")
        return [place.error(at: field, "\(identity) has no adapter '\(adapter)'\(hint)")]
    }

    private func exists(_ identity: ResourceIdentity) -> Bool {
        self.declarations[identity] != nil || self.remembered.contains(identity)
    }

    private mutating func hint(for target: ResourceIdentity, from identity: ResourceIdentity) -> String {
        guard self.givesHints else { return "" }
        let names = self.names(of: target.kind)
        let isNeighbour = identity.kind == target.kind && identity.namespace == target.namespace
        let neighbours = (names.ofNamespaces[target.namespace] ?? []).filter { !isNeighbour || $0 != identity.name }
        let hint = NearestWord.hint(for: target.name, among: neighbours)
        guard hint.isEmpty, let other = names.namespaces[target.name]?.min() else { return hint }
        return "; did you mean '\(other)/\(target.name)'?"
    }

    private mutating func names(of kind: Kind) -> Names {
        if let names = self.names[kind] { return names }
        var names = Names()
        for identity in self.declarations.keys where identity.kind == kind {
            names.ofNamespaces[identity.namespace, default: []].append(identity.name)
            names.namespaces[identity.name, default: []].append(identity.namespace)
        }
        self.names[kind] = names
        return names
    }
}

extension [ManifestIndex.Declaration] {
    /// The resource that is declared, when there is one declaration and it has no error of its own.
    var only: Resource? { self.count == 1 ? self[0].resource : nil }

    /// What all declarations together refer to.
    var references: [ResourceReference] { self.flatMap { $0.resource?.references ?? [] } }
}
