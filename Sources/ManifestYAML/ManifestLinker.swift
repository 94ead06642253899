internal import Schema

/// Checks what one resource says about others.
struct ManifestLinker {
    private let declarations: [ResourceIdentity: [ManifestIndex.Declaration]]
    private let remembered: Set<ResourceIdentity>
    /// A hint is looked for once, however many resources name what is not there.
    private var hints: [ResourceIdentity: String] = [:]

    /// More hints than a person reads are not worth their time.
    private static let hintLimit = 200

    init(declarations: [ResourceIdentity: [ManifestIndex.Declaration]], remembered: Set<ResourceIdentity>) {
        self.declarations = declarations
        self.remembered = remembered
    }

    /// What is wrong where one identity is declared more than once: an error at each place that names the others.
    static func duplicates(_ identity: ResourceIdentity, _ locations: [SourceLocation]) -> [Diagnostic] {
        locations.indices.map { index in
            let others = locations.indices.filter { $0 != index }.map { "\(locations[$0])" }
            return Diagnostic(
                at: locations[index],
                "\(identity) is declared more than once, also at \(others.joined(separator: ", ")); none of them counts",
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
        if let hint = self.hints[target] { return hint }
        guard self.hints.count < Self.hintLimit else { return "" }
        let sameKind = self.declarations.keys.filter { $0.kind == target.kind }
        let neighbours = sameKind.filter { $0.namespace == target.namespace && $0 != identity }.map(\.name)
        var hint = NearestWord.hint(for: target.name, among: neighbours)
        if hint.isEmpty, let other = sameKind.filter({ $0.name == target.name }).min() {
            hint = "; did you mean '\(other.namespace)/\(other.name)'?"
        }
        self.hints[target] = hint
        return hint
    }
}

extension [ManifestIndex.Declaration] {
    /// The resource that is declared, when there is one declaration and it has no error of its own.
    var only: Resource? { self.count == 1 ? self[0].resource : nil }

    /// What all declarations together refer to.
    var references: [ResourceReference] { self.flatMap { $0.resource?.references ?? [] } }
}
