internal import Foundation
internal import Schema
internal import Testing

@Suite struct JSONSchemaExporterTests {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Manifests/schema")

    /// `MARTLET_WRITE_SCHEMAS=1 swift test --filter JSONSchemaExporterTests` writes the files anew.
    @Test(arguments: Kind.allCases)
    func publishedFilesAreWhatTheDeclarationsSay(kind: Kind) throws {
        try Self.check("\(kind.rawValue.lowercased()).json", JSONSchemaExporter().file(of: kind))
    }

    @Test func thePublishedFileOfSourcesIsWhatTheDeclarationSays() throws {
        try Self.check("sources.json", JSONSchemaExporter().fileOfSources())
    }

    private static func check(_ name: String, _ text: String) throws {
        let file = self.folder.appendingPathComponent(name)
        if ProcessInfo.processInfo.environment["MARTLET_WRITE_SCHEMAS"] == "1" {
            try Data(text.utf8).write(to: file)
        }
        let published = try String(decoding: Data(contentsOf: file), as: UTF8.self)
        #expect(published == text, "run scripts/generate-schemas")
    }

    @Test func everyReferenceInASchemaLeadsSomewhere() throws {
        for kind in Kind.allCases {
            let schema = JSONSchemaExporter().schema(of: kind)
            let definitions = schema["$defs"]?.object ?? [:]
            for target in Self.references(in: schema) {
                #expect(definitions[String(target.dropFirst("#/$defs/".count))]?.object != nil, "\(kind): \(target)")
            }
        }
    }

    @Test func everyFieldSaysWhatItIs() {
        let schemas =
            Kind.allCases.map { JSONSchemaExporter().schema(of: $0) } + [JSONSchemaExporter().schemaOfSources()]
        for schema in schemas {
            Self.visitProperties(schema) { name, property in
                let description = property["description"]?.string ?? ""
                #expect(description.hasSuffix("."), "\(schema["title"]?.string ?? "").\(name)")
            }
        }
    }

    private static func references(in schema: JSONValue) -> [String] {
        switch schema {
        case .object(let members):
            let own = members["$ref"]?.string.map { [$0] } ?? []
            return own
                + members.filter { $0.key != "properties" || $0.value.object != nil }
                .flatMap { self.references(in: $0.value) }
        case .array(let elements): return elements.flatMap { self.references(in: $0) }
        case .null, .bool, .integer, .number, .string: return []
        }
    }

    private static func visitProperties(_ schema: JSONValue, _ body: (String, JSONValue) -> Void) {
        switch schema {
        case .object(let members):
            // The branches of a rule only say that a field is there.
            for (key, member) in members where key != "allOf" {
                if key == "properties", let properties = member.object {
                    for (name, property) in properties {
                        body(name, property)
                        self.visitProperties(property, body)
                    }
                } else {
                    self.visitProperties(member, body)
                }
            }
        case .array(let elements): elements.forEach { self.visitProperties($0, body) }
        case .null, .bool, .integer, .number, .string: break
        }
    }
}
