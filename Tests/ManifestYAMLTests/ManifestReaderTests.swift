internal import ManifestYAML
internal import Schema
internal import Testing

@Suite struct ManifestReaderTests {
    @Test(arguments: Fixture.names(in: "Valid", ending: ".yaml"))
    func everyKindReadsWithoutAWord(name: String) throws {
        let file = ManifestReader().read(try Fixture.bytes("Valid/\(name).yaml"), path: "\(name).yaml")
        #expect(file.report.isEmpty)
        #expect(file.resources.count == 1)
        #expect(!file.unreadable)
        for resource in file.resources {
            print(
                resource.references.map { "\($0.field) \($0.location) \($0.target)" },
                resource.files.map { "\($0.path) \($0.field) \($0.form)" }
            )
        }
    }
}
