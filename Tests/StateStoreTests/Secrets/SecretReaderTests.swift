import Foundation
import Schema
import StateStore
import TestSupport
import Testing

@Suite("Secrets")
struct SecretReaderTests {
    private let folder: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
    }

    private func reader(_ environment: [String: String] = [:]) -> SecretReader {
        SecretReader(environment: environment, folder: self.folder.path)
    }

    private func write(_ text: String, mode: Int, to name: String = "key") throws {
        let path = self.folder.file(name)
        try Data(text.utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    @Test("A variable of the environment is taken as it is")
    func variable() throws {
        #expect(try self.reader(["KEY": " a\n"]).read(SecretReference(fromEnv: "KEY")) == Array(" a\n".utf8))
    }

    @Test("A variable that is missing or empty is an error that names it", arguments: [[:], ["KEY": ""]])
    func missingVariable(environment: [String: String]) throws {
        let error = #expect(throws: MartletError.self) {
            try self.reader(environment).read(SecretReference(fromEnv: "KEY"))
        }
        #expect(error?.code == "SecretMissing")
        #expect(error?.message.contains("KEY") == true)
    }

    @Test(
        "A file is read without the line break at its end",
        arguments: [("s", "s"), ("s\n", "s"), ("s\r\n", "s"), ("s\n\n", "s\n"), (" s ", " s ")]
    )
    func file(text: String, secret: String) throws {
        try self.write(text, mode: 0o600)
        #expect(try self.reader().read(SecretReference(fromFile: "key")) == Array(secret.utf8))
        let absolute = SecretReference(fromFile: self.folder.file("key"))
        #expect(try SecretReader(environment: [:], folder: "/nowhere").read(absolute) == Array(secret.utf8))
    }

    @Test(
        "A file that others can read is refused, however little they can do",
        arguments: [0o640, 0o604, 0o610, 0o602]
    )
    func exposed(mode: Int) throws {
        try self.write("very secret", mode: mode)
        let error = #expect(throws: MartletError.self) {
            try self.reader().read(SecretReference(fromFile: "key"))
        }
        #expect(error?.code == "SecretExposed")
        #expect(error?.description.contains("very secret") == false)
    }

    @Test("A file that is not there, empty, too large or a folder is an error")
    func noFile() throws {
        try self.write("\n", mode: 0o600, to: "empty")
        try self.write(String(repeating: "x", count: 65_537), mode: 0o600, to: "large")
        try self.write(String(repeating: "x", count: 65_536), mode: 0o400, to: "fits")
        try FileManager.default.createDirectory(atPath: self.folder.file("folder"), withIntermediateDirectories: false)
        for name in ["none", "empty", "large", "folder"] {
            let error = #expect(throws: MartletError.self) {
                try self.reader().read(SecretReference(fromFile: name))
            }
            #expect(error?.code == "SecretMissing", "\(name)")
        }
        #expect(try self.reader().read(SecretReference(fromFile: "fits")).count == 65_536)
    }
}
