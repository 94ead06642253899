internal import Foundation
internal import ManifestYAML
internal import Schema
internal import Testing

/// Each file of `Fixtures/Malformed` has its expected report beside it, to the column.
@Suite struct MalformedManifestTests {
    @Test(arguments: Fixture.names(in: "Malformed", ending: ".yaml"))
    func reportsEverythingWhereItIs(name: String) throws {
        let file = ManifestReader().read(try Fixture.bytes("Malformed/\(name).yaml"), path: "\(name).yaml")
        let report = file.diagnostics.map { "\($0)\n" }.joined()
        let expected = Fixture.folder.appendingPathComponent("Malformed/\(name).expected")
        if ProcessInfo.processInfo.environment["MARTLET_WRITE_EXPECTED"] == "1" {
            try Data(report.utf8).write(to: expected)
        }
        #expect(try String(decoding: Data(contentsOf: expected), as: UTF8.self) == report)
        #expect(!file.diagnostics.isEmpty)
    }

    @Test func everyReportHasItsManifest() {
        let manifests = Fixture.names(in: "Malformed", ending: ".yaml")
        #expect(manifests.count >= 60)
        #expect(manifests == Fixture.names(in: "Malformed", ending: ".expected"))
    }
}
