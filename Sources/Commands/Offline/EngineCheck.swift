internal import Planning
internal import Schema

/// Asks the engines that are installed here about the options of the models that use them.
enum EngineCheck {
    static func diagnostics(of desired: DesiredState) -> [Diagnostic] {
        let engines = CommandEnvironment.current.engines
        let usable = Set(engines.reports().filter { $0.problem == nil }.map(\.name))
        return desired.resources.values.flatMap { resource -> [Diagnostic] in
            guard case .model(let spec) = resource.spec, usable.contains(spec.engine),
                let engine = try? engines.engine(named: spec.engine)
            else { return [] }
            let options = spec.options.filter { !ModelOpening.servingOptions.contains($0.key) }
            return engine.problems(inOptions: options).map { problem in
                let place = resource.fieldLocations["spec.options.\(problem.option)"] ?? resource.location
                return Diagnostic(at: place, "spec.options: \(problem.message)", resource: resource.identity)
            }
        }
    }
}
