import Foundation
import Planning
import TestSupport
import Testing

@testable import Commands

/// `martlet init` and the repository that it writes.
struct InitTests {
    private static let starter = URL(filePath: #filePath)
        .deletingLastPathComponent().appending(path: "../../Manifests/starter").standardizedFileURL

    @Test("The texts that are written are the files of Manifests/starter, all of them")
    func textsAreTheFiles() throws {
        let source = try WorkTreeSource(root: InitTests.starter.path(percentEncoded: false))
        let files = try source.files(below: "", in: WorkTreeSource.id)
        #expect(files.map(\.path).sorted() == StarterFiles.all.map(\.path).sorted())
        for (path, text) in StarterFiles.all {
            let file = InitTests.starter.appending(path: path)
            #expect(String(decoding: try Data(contentsOf: file), as: UTF8.self) == text, "\(path)")
        }
    }

    @Test("What is written is valid, to the last warning")
    func isValid() async throws {
        let folder = try TemporaryFolder()
        let place = folder.file("a new/shop")
        let written = await CommandLineRun.run(["init", place])
        #expect(written.code == 0)
        #expect(written.output.contains("wrote models/greeter.yaml\n"))
        let run = await CommandLineRun.run(["validate", place, "--strict"])
        #expect(run.code == 0)
        #expect(run.output == "4 resources, no errors\n")
    }

    @Test("A place where nothing can be written is told in a sentence")
    func cannotWrite() async throws {
        let run = await CommandLineRun.run(["init", "/proc/martlet"])
        #expect(run.code == 2)
        #expect(run.errors.contains("cannot be written: "))
        #expect(run.errors.contains("; choose another folder"))
        #expect(!run.errors.contains("Domain") && !run.errors.contains("UserInfo"))
    }

    @Test("A file that is there is named and left as it is, and nothing is written")
    func neverOverwrites() async throws {
        let folder = try TemporaryFolder()
        try folder.write("README.md", Array("mine".utf8))
        let run = await CommandLineRun.run(["init", folder.path])
        #expect(run.code == 2)
        #expect(run.errors.contains("nothing was written, since these are there already: README.md;"))
        #expect(try folder.names() == ["README.md"])
        #expect(try folder.read("README.md") == Array("mine".utf8))
    }
}
