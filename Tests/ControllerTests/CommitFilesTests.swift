import GitSource
import ManifestYAML
import Planning
import Schema
import TestSupport
import Testing

@Suite("Files and folders of a commit that manifests name")
struct CommitFilesTests {
    @Test("A file stands for itself, a folder for all in it")
    func found() throws {
        let folder = try TemporaryRepository()
        try folder.write("tools/main.py", "print(1)")
        try folder.write("tools/data/words.txt", "hello")
        try folder.write("tools.txt", "no")
        let commit = try folder.commit("one.py", "print(2)")
        let artifacts = CommitArtifacts(repository: try GitRepository(path: folder.path), commit: commit)
        let file = try artifacts.findFiles(at: "one.py")
        #expect(!file.isFolder && file.files.map(\.path) == ["one.py"] && file.isSettled)
        #expect(file.files[0].artifact.size == 8)
        let tools = try artifacts.findFiles(at: "tools")
        #expect(tools.isFolder && tools.files.map(\.path) == ["data/words.txt", "main.py"] && tools.isSettled)
        #expect(tools.files.map(\.artifact.path) == ["tools/data/words.txt", "tools/main.py"])
        #expect(throws: MartletError.self) { try artifacts.findFiles(at: "nothing") }
    }

    @Test("Links are followed to files of the commit, and nowhere else")
    func links() throws {
        let folder = try TemporaryRepository()
        try folder.write("common/words.txt", "hello")
        try folder.write("tools/main.py", "print(1)")
        try folder.symlink("tools/words.txt", to: "../common/words.txt")
        let repository = try GitRepository(path: folder.path)
        let good = try folder.commit("A link to a file")
        let tools = try CommitArtifacts(repository: repository, commit: good).findFiles(at: "tools")
        #expect(tools.files.map(\.path) == ["main.py", "words.txt"] && !tools.isSettled)
        #expect(tools.files[1].artifact.size == 5)
        for (name, target) in [("tools/all", "../common"), ("tools/out", "../../etc/passwd"), ("tools/none", "no.txt")]
        {
            try folder.symlink(name, to: target)
            let commit = try folder.commit("A link to \(target)")
            #expect(throws: MartletError.self) {
                try CommitArtifacts(repository: repository, commit: commit).findFiles(at: "tools")
            }
            try folder.remove(name)
        }
    }
}
