internal import Foundation
internal import Glibc
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// A repository on a git server that has good days and bad ones.
    @Suite(
        .enabled(if: Executable.hasLlama, "\(Executable.hint)"),
        .enabled(if: GitServer.shared != nil, "python3 is missing; run scripts/bootstrap")
    )
    struct RemoteTests {
        /// The support desk on a server.
        struct RemoteDesk {
            let desk: Desk
            let bare: TemporaryRepository
            let address: String

            init() throws {
                self.desk = try Desk()
                self.bare = try TemporaryRepository(bareCloneOf: self.desk.repository)
                try self.desk.repository.git("remote", "add", "origin", self.bare.path)
                let server = try #require(GitServer.shared)
                self.address = "\(server.address)/changing/\(URL(filePath: self.bare.path).lastPathComponent)"
                try self.serve("good")
            }

            /// Serves in one of `git-server`'s manners from now on.
            func serve(_ manner: String) throws {
                try Data(manner.utf8).write(to: URL(filePath: "\(self.bare.path)/manner"), options: .atomic)
            }

            func push(returnWindow days: Int) throws -> ObjectID {
                let commit = try self.desk.commit(returnWindow: days)
                try self.desk.repository.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
                return commit
            }

            /// - Parameter patience: how long a fetch may take.
            func martlet(patience: String = "3s") throws -> RunningMartlet {
                try RunningMartlet(
                    self.address,
                    options: ["--ref", "main", "--poll", "1s", "--fetch-timeout", patience, "--max-fetch", "8Mi"]
                )
            }
        }

        @Test func badDaysChangeNothingAndAreNamed() async throws {
            let remote = try RemoteDesk()
            let martlet = try remote.martlet()
            try await martlet.start()
            try await martlet.waitForConvergence(of: remote.desk.repository.head())
            let first = try await martlet.waitForRevision("desk")
            let next = try remote.push(returnWindow: 60)
            try await martlet.waitForConvergence(of: next)
            let second = try await martlet.waitForRevision("desk", after: first)

            try remote.serve("busy")
            try await Self.waitForSource(martlet, "RemoteFailing")
            let last = try remote.push(returnWindow: 45)
            for (manner, code) in [
                ("stall", "FetchTimedOut"), ("corrupt", "PackCorrupt"), ("private", "RedirectRefused"),
                ("endless", "FetchTooLarge"), ("cut", "ConnectionLost"), ("auth", "CredentialsMissing"),
            ] {
                try remote.serve(manner)
                let sync = try await Self.sync(martlet, in: remote)
                #expect(sync.code == 2, "\(manner): \(sync.output)")
                let status = try await martlet.status()
                #expect(status.source.condition.reason == code, "\(status.source.condition.message)")
                #expect(status.source.commit?.id == next)
                #expect(try await martlet.revision("desk") == second)
                #expect(try await martlet.ask("desk", Desk.question).contains("60"))
                try await martlet.wait(for: "the fetch to leave nothing") { Self.leftovers(of: martlet).isEmpty }
            }

            try remote.serve("good")
            #expect(try await Self.sync(martlet, in: remote).code == 0)
            try await martlet.waitForConvergence(of: last)
            let status = try await martlet.status()
            #expect(status.source.condition.status == .yes)
            #expect(status.source.fetchedAt != nil)
        }

        @Test func startsWithoutNetwork() async throws {
            let remote = try RemoteDesk()
            try remote.serve("busy")
            let martlet = try remote.martlet()
            try await martlet.start()
            try await Self.waitForSource(martlet, "RemoteFailing")
            try remote.serve("good")
            try await martlet.waitForConvergence(of: remote.desk.repository.head())
            await martlet.kill()

            try remote.serve("busy")
            try await martlet.start()
            try await martlet.waitForConvergence(of: remote.desk.repository.head())
            try await martlet.waitForRevision("desk")
            try await Self.waitForSource(martlet, "RemoteFailing")
            #expect(try await martlet.status().source.commit?.id == (try remote.desk.repository.head()))
        }

        @Test func killedControllerTakesItsFetchAlong() async throws {
            let remote = try RemoteDesk()
            let martlet = try remote.martlet(patience: "10m")
            try await martlet.start()
            try await martlet.waitForConvergence(of: remote.desk.repository.head())
            try remote.serve("stall")
            let next = try remote.push(returnWindow: 60)
            try await martlet.wait(for: "a fetch that hangs") {
                Self.leftovers(of: martlet).contains {
                    $0.contains("/pack_") || $0.contains("incoming/repository/HEAD")
                }
            }
            await martlet.kill()
            // The lock goes with the last process that fetched.
            try await eventually("the fetch to end") { Self.isUnlocked(martlet) }
            try remote.serve("good")
            try await martlet.start()
            try await martlet.waitForConvergence(of: next)
            try await martlet.wait(for: "the fetch to leave nothing") { Self.leftovers(of: martlet).isEmpty }
        }

        /// Whether no process fetches into the clone.
        private static func isUnlocked(_ martlet: RunningMartlet) -> Bool {
            let clones = "\(martlet.stateDirectory)/clones"
            let name = (try? FileManager.default.contentsOfDirectory(atPath: clones))?.first ?? ""
            let lock = open("\(clones)/\(name)/martlet.lock", O_RDWR | O_CLOEXEC)
            defer { close(lock) }
            return flock(lock, LOCK_EX | LOCK_NB) == 0
        }

        private static func waitForSource(_ martlet: RunningMartlet, _ code: String) async throws {
            try await martlet.wait(for: "the source to fail with \(code)") {
                try await martlet.status().source.condition.reason == code
            }
        }

        private static func sync(_ martlet: RunningMartlet, in remote: RemoteDesk) async throws -> Executable.Result {
            try await Executable.run(
                ["sync"],
                in: remote.desk.repository.path,
                environment: ["MARTLET_STATE_DIR": martlet.stateDirectory]
            )
        }

        /// What fetches have begun and not ended: files, and processes.
        private static func leftovers(of martlet: RunningMartlet) -> [String] {
            let clones = "\(martlet.stateDirectory)/clones"
            let files = FileManager.default.enumerator(atPath: clones)?.compactMap { $0 as? String } ?? []
            let strays = files.filter { $0.contains("/incoming") || $0.contains("/pack_") }
            let tasks = "/proc/\(martlet.program?.id ?? 0)/task"
            let threads = (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []
            let children = threads.compactMap { thread in
                try? String(contentsOfFile: "\(tasks)/\(thread)/children", encoding: .utf8)
            }
            return strays + children.flatMap { $0.split(separator: " ").map(String.init) }
        }
    }
}
