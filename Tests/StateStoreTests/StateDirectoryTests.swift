import Foundation
import Glibc
import Schema
import StateStore
import TestSupport
import Testing

struct StatePathsTests {
    @Test(
        "the state directory is the option, else XDG_STATE_HOME, else the home folder",
        arguments: [
            ("/var/martlet", [:], "/var/martlet"),
            ("/var/martlet//", [:], "/var/martlet"),
            ("state", ["XDG_STATE_HOME": "/xdg"], "/now/state"),
            (nil, ["XDG_STATE_HOME": "/xdg/", "HOME": "/home/ada"], "/xdg/martlet"),
            (nil, ["XDG_STATE_HOME": "relative", "HOME": "/home/ada"], "/home/ada/.local/state/martlet"),
            (nil, ["XDG_STATE_HOME": "", "HOME": "/home/ada"], "/home/ada/.local/state/martlet"),
        ] as [(String?, [String: String], String)]
    )
    func resolution(option: String?, environment: [String: String], expected: String) throws {
        let paths = try StatePaths.resolve(option: option, environment: environment, workingDirectory: "/now")
        #expect(paths.root == expected)
        #expect(paths.adminSocket == "\(expected)/run/admin.sock")
    }

    @Test("without a home there must be an option, and an empty one is none", arguments: [nil, ""])
    func unknown(option: String?) {
        let error = #expect(throws: MartletError.self) {
            try StatePaths.resolve(option: option, environment: [:], workingDirectory: "/now")
        }
        #expect(error?.code == "StateDirectoryUnknown")
        #expect(error?.message.contains("--state-dir") == true)
    }

    @Test("a socket path of 107 bytes is the longest", arguments: [(92, false), (93, true)])
    func socketPath(length: Int, isTooLong: Bool) {
        // `/run/admin.sock` takes 15 bytes.
        let root = "/" + String(repeating: "ü", count: (length - 2) / 2) + String(repeating: "x", count: 1 + length % 2)
        #expect(root.utf8.count == length)
        if isTooLong {
            let error = #expect(throws: MartletError.self) { try StatePaths(root: root) }
            #expect(error?.code == "SocketPathTooLong")
            #expect(error?.message.contains("108 bytes") == true)
        } else {
            #expect(throws: Never.self) { try StatePaths(root: root) }
        }
    }
}

struct StateDirectoryTests {
    let folder: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
    }

    @Test("everything is made for its owner alone, whatever the folders above it")
    func modes() throws {
        let paths = try StatePaths(root: self.folder.file("a/b/state"))
        let directory = try StateDirectory(paths)
        for path in [self.folder.file("a"), paths.root, paths.run, paths.artifacts] {
            #expect(try self.mode(path) == 0o700, "\(path)")
        }
        #expect(try self.mode(paths.lock) == 0o600)
        withExtendedLifetime(directory) {}
    }

    @Test("a second controller is refused, told who the first is, and touches nothing")
    func secondController() async throws {
        let paths = try StatePaths(root: self.folder.file("state"))
        var first: StateDirectory? = try StateDirectory(paths)
        rmdir(paths.run)
        let error = #expect(throws: MartletError.self) { try StateDirectory(paths) }
        #expect(error?.code == "StateDirectoryInUse")
        #expect(error?.message.contains("process \(getpid())") == true)
        #expect(access(paths.run, F_OK) != 0)
        withExtendedLifetime(first) {}
        first = nil
        try await Self.open(paths)
    }

    @Test("a child process does not keep the lock", .timeLimit(.minutes(1)))
    func child() async throws {
        let paths = try StatePaths(root: self.folder.file("state"))
        var child: pid_t = 0
        do {
            let directory = try StateDirectory(paths)
            var arguments = [strdup("sleep"), strdup("600"), nil]
            defer { arguments.forEach { free($0) } }
            try #require(posix_spawnp(&child, "sleep", nil, nil, &arguments, environ) == 0)
            withExtendedLifetime(directory) {}
        }
        defer {
            kill(child, SIGKILL)
            waitpid(child, nil, 0)
        }
        // The kernel lets the parent go on just before it closes the child's descriptors, and renames the child after.
        while try String(contentsOfFile: "/proc/\(child)/comm", encoding: .utf8) != "sleep\n" { await Task.yield() }
        try await Self.open(paths)
    }

    /// Opens a directory that nobody holds. Children that other tests are starting just now have a copy of its lock
    /// until they are the programs that they are to be.
    private static func open(_ paths: StatePaths) async throws {
        while true {
            do {
                _ = try StateDirectory(paths)
                return
            } catch let error as MartletError where error.code == "StateDirectoryInUse" {
                await Task.yield()
            }
        }
    }

    @Test("a folder that others may write to is refused", arguments: [0o770, 0o702] as [mode_t])
    func openToOthers(mode: mode_t) throws {
        chmod(self.folder.path, mode)
        let error = #expect(throws: MartletError.self) { try StateDirectory(StatePaths(root: self.folder.path)) }
        #expect(error?.code == "StateDirectoryOpenToOthers")
        #expect(try self.folder.names().isEmpty)
    }

    @Test(
        "chmod is advised for a folder only that nobody else uses",
        arguments: [
            (0o770, [], true), (0o770, ["control.db", "lock"], true), (0o1777, [], false),
            (0o777, ["letters.txt"], false),
        ] as [(mode_t, [String], Bool)]
    )
    func adviceWhenOpen(mode: mode_t, names: [String], isChmod: Bool) throws {
        for name in names { try self.folder.write(name, [1]) }
        chmod(self.folder.path, mode)
        let error = #expect(throws: MartletError.self) { try StateDirectory(StatePaths(root: self.folder.path)) }
        let message = error?.message ?? ""
        #expect(message.contains("chmod") == isChmod, "\(message)")
        #expect(message.contains("\(self.folder.path)/martlet") == !isChmod, "\(message)")
    }

    @Test("a folder that others may read keeps its mode; what is in it is private")
    func readableByOthers() throws {
        chmod(self.folder.path, 0o755)
        let paths = try StatePaths(root: self.folder.path)
        let directory = try StateDirectory(paths)
        #expect(try self.mode(paths.root) == 0o755)
        #expect(try self.mode(paths.run) == 0o700)
        withExtendedLifetime(directory) {}
    }

    @Test("a path that leads through a file is reported", arguments: ["file", "file/state"])
    func throughFile(name: String) throws {
        try self.folder.write("file", [1])
        let error = #expect(throws: MartletError.self) {
            try StateDirectory(StatePaths(root: self.folder.file(name)))
        }
        #expect(error?.code == "StateDirectoryNotWritable")
        #expect(error?.message.contains(self.folder.file("file")) == true)
    }

    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }
}
