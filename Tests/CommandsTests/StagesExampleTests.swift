import ManifestYAML
import Planning
import Schema
import TestSupport
import Testing

@testable import Commands

/// The example of staging and production from one base.
@Suite("The example desk-stages")
struct StagesExampleTests {
    private static let folder = "\(FaultyEngine.repository())Examples/desk-stages"

    @Test("Each stage reads the base and says what differs", arguments: ["staging": 256, "production": 512])
    func stage(name: String, queue: Int) throws {
        let repository = try WorkTreeSource(root: Self.folder)
        var loader = DesiredStateLoader(repository: repository, subpath: name, namespace: "default")
        let desired = try loader.load(WorkTreeSource.summary)
        #expect(desired.diagnostics.isEmpty, "\(desired.diagnostics)")
        #expect(desired.variants.keys.map(\.description) == ["\(name)/desk"])
        let endpoint = ResourceIdentity(.endpoint, namespace: name, name: "desk")
        #expect(desired.resources[endpoint]?.labels["stage"] == name)
        #expect(desired.settings[endpoint]?.queue.limit == queue)
        #expect(desired.resources.values.filter { $0.origin == nil }.map(\.identity.kind) == [.overlay])
    }

    @Test("validate reads one stage, or all of them beside the base", arguments: ["production": 5, "": 14])
    func validates(path: String, resources: Int) async {
        let run = await CommandLineRun.run(["validate", Self.folder, "--path", path])
        #expect(run.code == 0, "\(run.errors)")
        #expect(run.output == "\(resources) resources, no errors\n")
    }
}
