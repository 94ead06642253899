import Foundation
import ManifestYAML
import Planning
import Schema
import TestSupport
import Testing

@testable import Commands

/// `martlet export`: what comes out is what went in.
struct ExportTests {
    /// Every example repository.
    static let examples: [String] = {
        let folder = "\(FaultyEngine.repository())Examples"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { FileManager.default.fileExists(atPath: "\(folder)/\($0)/README.md") }.sorted()
    }()

    private static func read(_ folder: String) throws -> [String: Resource] {
        var resources: [String: Resource] = [:]
        let repository = try WorkTreeSource(root: folder)
        var loader = DesiredStateLoader(repository: repository, subpath: "", namespace: "default")
        let desired = try loader.load(WorkTreeSource.summary)
        #expect(desired.diagnostics.filter { $0.severity == .error }.isEmpty, "\(desired.diagnostics)")
        for (identity, resource) in desired.resources where identity.kind != .overlay {
            resources[identity.description] = resource
        }
        return resources
    }

    @Test("an exported example reads back with the same digests, in one file and in many", arguments: examples)
    func roundTrip(example: String) throws {
        let source = "\(FaultyEngine.repository())Examples/\(example)"
        let before = try Self.read(source)
        #expect(!before.isEmpty)
        let exported = ExportedManifests(before.values.map { ManifestView($0) })
        for isOneFile in [true, false] {
            let folder = try TemporaryFolder()
            if isOneFile {
                try folder.write("all.yaml", Array(try exported.text().utf8))
            } else {
                let paths = try exported.write(below: folder.path, replacing: false)
                #expect(paths.count == before.count)
            }
            try Self.copyOtherFiles(from: source, to: folder.path)
            let after = try Self.read(folder.path)
            #expect(after.mapValues(\.digest) == before.mapValues(\.digest))
            #expect(after.mapValues(\.labels) == before.mapValues(\.labels))
            #expect(after.mapValues(\.annotations) == before.mapValues(\.annotations))
        }
    }

    @Test("a folder that is not empty is written to only when asked, and keeps what else it has")
    func replacing() throws {
        let folder = try TemporaryFolder()
        let identity = ResourceIdentity(.model, namespace: "shop", name: "tiny")
        let resource = try Resource(identity, spec: ["engine": "replay", "source": ["uri": "a.jsonl"]])
        let exported = ExportedManifests([ManifestView(resource)])
        #expect(try exported.write(below: folder.path, replacing: false) == ["shop/models/tiny.yaml"])
        let error = #expect(throws: MartletError.self) { try exported.write(below: folder.path, replacing: false) }
        #expect(error?.code == "FolderNotEmpty")
        let manifest = try folder.read("shop/models/tiny.yaml")
        try folder.write("shop/models/tiny.yaml", Array("old".utf8))
        try folder.write("shop/other", Array("kept".utf8))
        #expect(try exported.write(below: folder.path, replacing: true).count == 1)
        #expect(try folder.read("shop/models/tiny.yaml") == manifest)
        #expect(try folder.read("shop/other") == Array("kept".utf8))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["shop"])
    }

    @Test("what stands in the way of a file is named, and nothing has changed", arguments: ["b/c/d", "b", "gone/d"])
    func inTheWay(path: String) throws {
        let folder = try TemporaryFolder()
        try folder.write("a", Array("old".utf8))
        try FileManager.default.createDirectory(atPath: folder.file("b"), withIntermediateDirectories: false)
        try folder.write(path == "b" ? "b/kept" : "b/c", Array("kept".utf8))
        try FileManager.default.createSymbolicLink(atPath: folder.file("gone"), withDestinationPath: "nowhere")
        let error = #expect(throws: MartletError.self) {
            try NewFolder(folder.path).write([("a", "new"), ("new/x", "new"), (path, "new")])
        }
        #expect(error?.code == "FolderNotWritten")
        #expect(error?.message.contains("'\(folder.path)' cannot be written: \(path): ") == true, "\(error as Any)")
        #expect(try folder.read("a") == Array("old".utf8))
        #expect(try folder.names() == ["a", "b", "gone"])
    }

    @Test("folders that are there, and links to them, are written into, and new ones appear beside what they hold")
    func addsToFolders() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.file("b"), withIntermediateDirectories: false)
        try folder.write("b/kept", Array("kept".utf8))
        try FileManager.default.createSymbolicLink(atPath: folder.file("link"), withDestinationPath: "b")
        try NewFolder(folder.path).write(
            [
                ("b/c", "1"), ("link/d", "2"), ("b/new/e", "3"), ("b/new/deep/f", "4"), ("link/new/g", "5"),
                ("new/h", "6"),
            ]
        )
        let texts = ["b/kept", "b/c", "b/d", "b/new/e", "b/new/deep/f", "b/new/g", "new/h"].map { path in
            (try? folder.read(path)).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(texts == ["kept", "1", "2", "3", "4", "5", "6"])
        #expect(try folder.names() == ["b", "link", "new"])
    }

    @Test("a new folder is whole or not there, and what a killed process left is swept")
    func wholeOrNothing() throws {
        let folder = try TemporaryFolder()
        let target = "\(folder.path)/deep/new"
        try NewFolder(target + "/").write([("a/b.yaml", "text")])
        #expect(try folder.read("deep/new/a/b.yaml") == Array("text".utf8))

        // One that is there stays the same folder, may be a mount point, and nothing is made beside it.
        let empty = try TemporaryFolder()
        let inode = { try FileManager.default.attributesOfItem(atPath: empty.path)[.systemFileNumber] as? Int }
        let before = try inode()
        try FileManager.default.createDirectory(
            atPath: empty.file(".martlet-export.partial/left"),
            withIntermediateDirectories: true
        )
        #expect(try NewFolder(empty.path).names()?.isEmpty == true)
        try NewFolder(empty.path).write([("a/b.yaml", "text")])
        #expect(try inode() == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: empty.path) == ["a"])
        #expect(try empty.read("a/b.yaml") == Array("text".utf8))

        // A file in the way of a folder stops it half-way.
        let other = "\(folder.path)/deep/other"
        try FileManager.default.createDirectory(
            atPath: "\(folder.path)/deep/.other.martlet-export.partial/left",
            withIntermediateDirectories: true
        )
        try folder.write("deep/.other.partial", Array("of somebody".utf8))
        #expect(throws: MartletError.self) { try NewFolder(other).write([("a", ""), ("a/b", "")]) }
        let left = try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/deep").sorted()
        #expect(left == [".other.partial", "new"])
        try FileManager.default.createDirectory(
            atPath: "\(folder.path)/deep/.other.martlet-export.partial/left",
            withIntermediateDirectories: true
        )
        try NewFolder(other).write([("a", "")])
        #expect(try FileManager.default.contentsOfDirectory(atPath: other) == ["a"])
        let error = #expect(throws: MartletError.self) { try NewFolder("\(other)/a").names() }
        #expect(error?.message.hasSuffix("/deep/other/a' cannot be written: it is no folder") == true)
    }

    @Test(
        "kinds and namespaces choose",
        arguments: [
            ([], ["Endpoint/shop/desk", "Model/shop/tiny"]), (["models"], ["Model/shop/tiny"]),
            (["endpoint", "chains"], ["Endpoint/shop/desk"]),
        ]
    )
    func choosing(kinds: [String], expected: [String]) async throws {
        let model = try Resource(
            ResourceIdentity(.model, namespace: "shop", name: "tiny"),
            spec: ["engine": "replay", "source": ["uri": "a.jsonl"]]
        )
        let endpoint = try Resource(
            ResourceIdentity(.endpoint, namespace: "shop", name: "desk"),
            spec: ["serve": ["model": "tiny"]]
        )
        let body = String(
            decoding: try JSONEncoder().encode([model, endpoint].map { ManifestView($0) }),
            as: UTF8.self
        )
        let controller = try FakeController { _ in .init(body: body) }
        let run = await CommandLineRun.run(["export"] + kinds + ["-n", "shop"], socket: controller.socket)
        #expect(run.code == 0, "\(run.errors)")
        #expect(controller.log.first?.contains("manifests?namespace=shop") == true)
        let found = run.output.components(separatedBy: "---\n").map { text -> String in
            func value(_ key: String) -> String {
                text.split(separator: "\n").first { $0.contains("\(key): ") }?.split(separator: " ").last.map(
                    String.init
                )
                    ?? ""
            }
            return "\(value("kind"))/\(value("namespace"))/\(value("  name"))"
        }
        #expect(found.sorted() == expected)
    }

    /// What manifests name, but no manifests.
    private static func copyOtherFiles(from source: String, to target: String) throws {
        guard let files = FileManager.default.enumerator(atPath: source) else { return }
        for case let path as String in files where !path.hasSuffix(".yaml") && !path.hasSuffix(".yml") {
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: "\(source)/\(path)", isDirectory: &isFolder) else { continue }
            if isFolder.boolValue {
                try FileManager.default.createDirectory(
                    atPath: "\(target)/\(path)",
                    withIntermediateDirectories: true
                )
            } else {
                try FileManager.default.copyItem(atPath: "\(source)/\(path)", toPath: "\(target)/\(path)")
            }
        }
    }
}
