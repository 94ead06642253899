internal import Engines
internal import Foundation
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

/// Engines are found, or it is said why not.
struct EngineDirectoryTests {
    static func folder(_ files: [String: String] = [:]) throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: "martlet-engines-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for (name, content) in files { try Data(content.utf8).write(to: folder.appending(path: name)) }
        return folder.path()
    }

    /// A copy of the faulty engine's library under a path of its own, with files beside it.
    static func copy(of library: String, as name: String, beside files: [String: String] = [:]) throws -> String {
        let folder = try Self.folder(files)
        try FileManager.default.copyItem(atPath: library, toPath: "\(folder)/\(name)")
        return folder
    }

    @Test func missingEngineSaysWhatToDo() {
        let directory = EngineDirectory(searchPath: ["/no/such/folder"])
        let text = expectError("EngineNotInstalled") { _ = try directory.engine(named: "llama") }
        #expect(text == "engine 'llama' is not installed; run scripts/bootstrap or set MARTLET_ENGINE_PATH")
    }

    @Test func misspeltEngineGetsASuggestion() {
        let text = expectError("EngineNotInstalled") {
            _ = try EngineDirectory(searchPath: []).engine(named: "repaly")
        }
        #expect(text == "engine 'repaly' is not installed; did you mean 'replay'?")
    }

    @Test func installedEngineIsFoundAndReported() throws {
        let folder = try FaultyEngine.folder()
        let directory = EngineDirectory(searchPath: ["/no/such/folder", folder])
        #expect(try directory.engine(named: "faulty").version == "1")
        #expect(
            directory.reports() == [
                EngineReport(
                    name: "faulty",
                    location: "\(folder)/libmartlet_engine_faulty.so",
                    version: "1",
                    problem: nil
                ),
                EngineReport(name: "inference", location: "built in", version: "1", problem: nil),
                EngineReport(name: "openai", location: "built in", version: "1", problem: nil),
                EngineReport(name: "replay", location: "built in", version: "1", problem: nil),
            ]
        )
    }

    @Test func engineInAFolderOfItsNameIsFound() throws {
        let root = try Self.folder()
        try FileManager.default.createSymbolicLink(
            atPath: "\(root)/faulty",
            withDestinationPath: try FaultyEngine.folder()
        )
        #expect(try EngineDirectory(searchPath: [root]).engine(named: "faulty").name == "faulty")
    }

    @Test(arguments: [
        (FaultyEngine.Defect.otherVersion, "it speaks ABI version 7, Martlet speaks 1"),
        (.shortTable, "its table has 64 bytes"),
        (.shortTensorTable, "its table has 200 bytes where what it can do needs 232"),
        (.withoutDecode, "its table has no function 'decode'"),
        (.withoutRun, "its table has no function 'run_tensors'"),
        (.withoutCapabilities, "it names nothing that it can do and Martlet knows"),
        (.withoutSymbol, "it does not export martlet_engine_table"),
    ])
    func defectiveLibraryIsRefused(_ defect: FaultyEngine.Defect, _ reason: String) throws {
        let directory = EngineDirectory(searchPath: [try FaultyEngine.folder(with: defect)], builtIn: [])
        let text = expectError("EngineUnusable") { _ = try directory.engine(named: "faulty") }
        #expect(text.contains(reason))
        #expect(directory.reports().map(\.problem) == [text])
    }

    /// An engine that was compiled before the table grew has a shorter one.
    @Test func olderLibraryStillWorks() throws {
        let directory = EngineDirectory(searchPath: [try FaultyEngine.folder(with: .withoutTensors)], builtIn: [])
        #expect(directory.reports().map(\.problem) == [nil])
        let opened = try directory.engine(named: "faulty").open(ModelOpening(file: try FaultyEngine.model("ok")))
        guard case .language(let model) = opened else {
            Issue.record("no language model")
            return
        }
        #expect(try model.tokenize([TextSegment("ab", parseSpecial: false)]) == [97, 98])
        model.close()
    }

    @Test func acceleratorIsNamedAndHandedOn() throws {
        let directory = EngineDirectory(searchPath: [try FaultyEngine.folder(with: .accelerated)], builtIn: [])
        #expect(directory.reports().map(\.accelerators) == [["abacus"]])
        let file = try FaultyEngine.model("ok")
        let words = try [nil, "abacus"].map { accelerator in
            let opening = ModelOpening(file: file, accelerator: accelerator)
            guard case .language(let model) = try directory.engine(named: "faulty").open(opening) else { return "" }
            defer { model.close() }
            return model.description.architecture
        }
        #expect(words == ["faulty", "faulty on abacus"])
    }

    @Test func acceleratorThatIsNotThereIsRefused() throws {
        for (defect, known) in [(FaultyEngine.Defect.accelerated, "abacus"), (nil, "nothing but the CPU")] {
            let directory = EngineDirectory(searchPath: [try FaultyEngine.folder(with: defect)], builtIn: [])
            let file = try FaultyEngine.model("ok")
            let text = expectError("AcceleratorMissing") {
                _ = try directory.engine(named: "faulty").open(ModelOpening(file: file, accelerator: "cuda"))
            }
            #expect(
                text.contains("asks for the accelerator 'cuda'; the engine 'faulty' finds \(known) on this machine")
            )
        }
    }

    @Test(arguments: ["", "MZ", "this is text, not a library"])
    func fileThatIsNoLibraryIsRefused(_ content: String) throws {
        let folder = try Self.folder(["libmartlet_engine_odd.so": content])
        let text = expectError("EngineUnusable") {
            _ = try EngineDirectory(searchPath: [folder]).engine(named: "odd")
        }
        #expect(text.contains("it is not a shared library (no ELF header)"))
    }

    @Test func damagedLibraryIsRefused() throws {
        let folder = try Self.folder(["libmartlet_engine_odd.so": "\u{7F}ELF and then nothing"])
        let text = expectError("EngineUnusable") {
            _ = try EngineDirectory(searchPath: [folder]).engine(named: "odd")
        }
        #expect(text.contains("libmartlet_engine_odd.so"))
    }

    @Test func libraryUnderAnotherNameIsRefused() throws {
        let library = "\(try FaultyEngine.folder())/libmartlet_engine_faulty.so"
        let folder = try Self.copy(of: library, as: "libmartlet_engine_other.so")
        let text = expectError("EngineUnusable") {
            _ = try EngineDirectory(searchPath: [folder]).engine(named: "other")
        }
        #expect(text.contains("it calls itself 'faulty', its file name says 'other'"))
    }

    /// The CPU is compared before anything of the library runs.
    @Test(arguments: [
        (Set(["avx2", "fma"]), true),
        (Set(["avx2"]), false),
        (Set<String>(), false),
    ])
    func libraryForAnotherCPUIsRefused(_ features: Set<String>, _ isUsable: Bool) throws {
        let library = "\(try FaultyEngine.folder())/libmartlet_engine_faulty.so"
        let folder = try Self.copy(
            of: library,
            as: "libmartlet_engine_faulty.so",
            beside: ["engine.json": #"{"name": "faulty", "cpuFlags": ["avx2", "fma"]}"#]
        )
        let directory = EngineDirectory(searchPath: [folder], cpu: CPUFeatures(names: features))
        if isUsable {
            #expect(try directory.engine(named: "faulty").name == "faulty")
        } else {
            let text = expectError("EngineUnusable") { _ = try directory.engine(named: "faulty") }
            #expect(text.contains("fma, which this one lacks"))
        }
    }

    @Test func brokenManifestIsAnError() throws {
        let library = "\(try FaultyEngine.folder())/libmartlet_engine_faulty.so"
        let folder = try Self.copy(of: library, as: "libmartlet_engine_faulty.so", beside: ["engine.json": "{"])
        let text = expectError("EngineUnusable") {
            _ = try EngineDirectory(searchPath: [folder]).engine(named: "faulty")
        }
        #expect(text.contains("engine.json"))
    }

    @Test(arguments: [
        ([:], ["/usr/local/lib/martlet/engines", "/usr/lib/martlet/engines"]),
        (
            ["HOME": "/home/ada", "MARTLET_ENGINE_PATH": "/a:/b"],
            [
                "/a", "/b", "/home/ada/.cache/martlet/engines", "/usr/local/lib/martlet/engines",
                "/usr/lib/martlet/engines",
            ]
        ),
        (
            ["HOME": "/home/ada", "XDG_CACHE_HOME": "/cache", "MARTLET_ENGINE_PATH": ""],
            ["/cache/martlet/engines", "/usr/local/lib/martlet/engines", "/usr/lib/martlet/engines"]
        ),
        (
            ["XDG_CACHE_HOME": "/cache", "MARTLET_CACHE": "/own"],
            ["/own/engines", "/usr/local/lib/martlet/engines", "/usr/lib/martlet/engines"]
        ),
    ])
    func searchPathFollowsTheEnvironment(_ environment: [String: String], _ expected: [String]) {
        #expect(EngineDirectory.searchPath(environment: environment) == expected)
    }

    @Test(arguments: [
        ("processor\t: 0\nflags\t\t: fpu avx2 fma\n\nprocessor\t: 1\nflags\t\t: fpu\n", Set(["fpu", "avx2", "fma"])),
        ("processor\t: 0\nFeatures\t: fp asimd\n", Set(["fp", "asimd"])),
        ("", Set<String>()),
    ])
    func featuresAreThoseOfTheFirstCPU(_ text: String, _ expected: Set<String>) {
        #expect(CPUFeatures(cpuinfo: text).names == expected)
    }
}
