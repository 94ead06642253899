internal import Foundation
package import Planning
internal import Schema

/// Finds engines: those built in, then the shared libraries on a search path.
///
/// A folder of the path holds `libmartlet_engine_<name>.so` itself, or in a folder `<name>`. The first folder that
/// has an engine of some name wins.
package struct EngineDirectory: EngineCatalog {
    private let searchPath: [String]
    private let builtIn: [any InferenceEngine]
    private let cpu: CPUFeatures
    private let log: EngineLog

    package init(
        searchPath: [String],
        builtIn: [any InferenceEngine] = EngineDirectory.builtIn(),
        cpu: CPUFeatures = .current,
        log: EngineLog = .silent
    ) {
        self.searchPath = searchPath
        self.builtIn = builtIn
        self.cpu = cpu
        self.log = log
    }

    /// The engines that need no library.
    ///
    /// - Parameter secret: reads the keys of upstreams, which manifests only name.
    package static func builtIn(
        secret: @escaping UpstreamEngine.Secret = UpstreamEngine.noSecrets
    ) -> [any InferenceEngine] {
        [ReplayEngine()] + UpstreamEngine.Interface.allCases.map { UpstreamEngine($0, secret: secret) }
    }

    /// `MARTLET_ENGINE_PATH`, then the folder that scripts/bootstrap fills, then the system's.
    package static func searchPath(environment: [String: String]) -> [String] {
        func value(_ name: String) -> String? {
            environment[name].flatMap { $0.isEmpty ? nil : $0 }
        }
        let own = value("MARTLET_ENGINE_PATH")?.split(separator: ":").map(String.init) ?? []
        let cache =
            value("MARTLET_CACHE")
            ?? value("XDG_CACHE_HOME").map { "\($0)/martlet" }
            ?? value("HOME").map { "\($0)/.cache/martlet" }
        return own + (cache.map { ["\($0)/engines"] } ?? [])
            + ["/usr/local/lib/martlet/engines", "/usr/lib/martlet/engines"]
    }

    package func reports() -> [EngineReport] {
        let builtIn = self.builtIn.map {
            EngineReport(name: $0.name, location: "built in", version: $0.version, problem: nil)
        }
        let names = Set(builtIn.map(\.name))
        let found = self.libraries().filter { !names.contains($0.key) }.map { name, library in
            do {
                let engine = try self.engine(named: name, in: library)
                return EngineReport(
                    name: name,
                    location: library,
                    version: engine.version,
                    problem: nil,
                    accelerators: engine.accelerators
                )
            } catch {
                return EngineReport(name: name, location: library, version: nil, problem: "\(error)")
            }
        }
        return (builtIn + found).sorted { $0.name < $1.name }
    }

    package func engine(named name: String) throws -> any InferenceEngine {
        if let engine = self.builtIn.first(where: { $0.name == name }) { return engine }
        let libraries = self.libraries()
        if let library = libraries[name] { return try self.engine(named: name, in: library) }
        let known = self.builtIn.map(\.name) + libraries.keys
        let install = "; run scripts/bootstrap or set MARTLET_ENGINE_PATH"
        let advice = NearestWord.hint(for: name, among: known, otherwise: install)
        throw MartletError("EngineNotInstalled", "engine '\(name)' is not installed\(advice)", disposition: .waiting)
    }

    private func engine(named name: String, in library: String) throws -> PluginEngine {
        let table = try EngineLibraries.table(of: library, on: self.cpu, log: self.log)
        guard table.name == name else {
            throw EngineTable.unusable(library, "it calls itself '\(table.name)', its file name says '\(name)'")
        }
        return PluginEngine(table: table)
    }

    /// The library of each engine that the search path holds.
    private func libraries() -> [String: String] {
        var libraries: [String: String] = [:]
        for folder in self.searchPath {
            let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
            for name in names {
                let nested = "\(folder)/\(name)/\(EngineDirectory.fileName(of: name))"
                if let engine = EngineDirectory.engineName(ofFile: name) {
                    libraries[engine] = libraries[engine] ?? "\(folder)/\(name)"
                } else if FileManager.default.fileExists(atPath: nested) {
                    libraries[name] = libraries[name] ?? nested
                }
            }
        }
        return libraries
    }

    private static func fileName(of engine: String) -> String {
        "libmartlet_engine_\(engine).so"
    }

    private static func engineName(ofFile name: String) -> String? {
        guard name.hasPrefix("libmartlet_engine_"), name.hasSuffix(".so") else { return nil }
        let engine = name.dropFirst("libmartlet_engine_".count).dropLast(".so".count)
        return engine.isEmpty ? nil : String(engine)
    }
}
