import Foundation
import GitSource
import Planning
import Schema
import TestSupport

/// One repository on a server, and a clone of it that fetches write to.
final class RemoteSetup {
    /// The work tree that people commit to.
    let people: TemporaryRepository
    /// What they push to.
    let bare: TemporaryRepository
    let server: GitServer
    /// The folder of the clone.
    let clone: String

    init() throws {
        self.people = try TemporaryRepository()
        try self.people.commit("models/tiny.yaml", "name: tiny\n", message: "First")
        self.bare = try TemporaryRepository(bareCloneOf: self.people)
        try self.people.git("remote", "add", "origin", self.bare.path)
        guard let server = GitServer.shared else { throw MartletError("ServerNotStarted", "python3 is missing") }
        self.server = server
        self.clone = "\(self.people.path)-clone"
    }

    deinit {
        try? FileManager.default.removeItem(atPath: self.clone)
    }

    /// The address of the repository, served in a manner of `git-server`'s, or as a file.
    func address(_ manner: String) -> String {
        let name = URL(filePath: self.bare.path).lastPathComponent
        return manner == "file" ? "file://\(self.bare.path)" : "\(self.server.address)/\(manner)/\(name)"
    }

    /// Commits a file of noise, so that its pack has a middle, and pushes it.
    func push(_ file: String = "models/next.bin", force: Bool = false) throws -> ObjectID {
        var noise = SeededRandom(seed: 7)
        try self.people.write(file, bytes: (0..<60_000).map { _ in UInt8.random(in: .min ... .max, using: &noise) })
        let commit = try self.people.commit("Next")
        try self.people.git(["push", "--quiet", "origin", "HEAD:refs/heads/main"] + (force ? ["--force"] : []))
        return commit
    }

    /// Fetches in a process, as the controller does, or in one for which rights count even where tests run as root.
    func fetch(
        _ manner: String = "good",
        ref: String = "main",
        password: String? = nil,
        deadline: Duration = .seconds(60),
        maxBytes: Int64 = 64 << 20,
        reservedBytes: Int64 = 0,
        task: FetchRequest.Task = .fetch,
        heedingRights: Bool = false
    ) async throws -> FetchAnswer {
        let options = try RemoteOptions(url: RemoteURL(self.address(manner)), ref: ref)
        let request = FetchRequest(
            task: task,
            clone: self.clone,
            options: RemoteOptions(
                url: options.url,
                ref: ref,
                credentials: RemoteCredentials(username: password.map { _ in "ada" }),
                deadline: deadline,
                maxBytes: maxBytes,
                reservedBytes: reservedBytes
            ),
            password: password,
            sshKeyPassphrase: nil
        )
        let isDemoted = heedingRights && getuid() == 0
        let process = FetchProcess(
            executable: isDemoted ? "/usr/bin/setpriv" : Self.child,
            arguments: isDemoted ? ["--bounding-set=-all", Self.child] : [],
            deadline: deadline
        )
        return try await process.perform(request)
    }

    /// The error of a fetch that must fail.
    func failure(of body: () async throws -> FetchAnswer) async throws -> MartletError? {
        do {
            _ = try await body()
            return nil
        } catch let error as MartletError {
            return error
        }
    }

    /// The commit that readers of the clone see; nil: none.
    func served() -> ObjectID? {
        try? GitRepository(path: self.clone).resolve("refs/martlet/followed").id
    }

    /// Everything in the clone that a fetch has begun and not ended: temporary files, half packs, locks.
    func leftovers() -> [String] {
        let files = FileManager.default.enumerator(atPath: self.clone)?.compactMap { $0 as? String } ?? []
        let packs = Set(files.filter { $0.hasSuffix(".pack") }.map { $0.dropLast(5) })
        let indices = Set(files.filter { $0.hasSuffix(".idx") }.map { $0.dropLast(4) })
        return files.filter { file in
            let isStray = file.hasPrefix("objects/pack/") && !file.hasSuffix(".pack") && !file.hasSuffix(".idx")
            return isStray || file.hasPrefix("incoming") || (file.hasSuffix(".lock") && file != "martlet.lock")
        } + packs.symmetricDifference(indices).map(String.init)
    }

    /// The executable beside this test program that is a fetch's child.
    static var child: String {
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(filePath: program).deletingLastPathComponent().appending(path: "FetchTestChild").path()
    }
}
