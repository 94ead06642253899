internal import Foundation
internal import Glibc
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// What becomes of the state directory when disks and people do their worst.
    struct StateTests {
        private static let manifest = """
            apiVersion: martlet.dev/v1
            kind: Model
            metadata: {name: replay}
            spec: {engine: replay, source: {uri: answers.jsonl}}
            ---
            apiVersion: martlet.dev/v1
            kind: Endpoint
            metadata: {name: replay}
            spec: {serve: {model: replay}, access: {anonymous: true}}
            """

        private static func repository() throws -> TemporaryRepository {
            let repository = try TemporaryRepository()
            try self.answer("good day", in: repository)
            return repository
        }

        @discardableResult
        private static func answer(_ text: String, in repository: TemporaryRepository) throws -> ObjectID {
            let line = #"{"input": {"prompt": "hello"}, "output": ""# + text + "\"}\n"
            try repository.write("answers.jsonl", line)
            try repository.write("endpoint.yaml", Self.manifest)
            return try repository.commit("Say \(text)")
        }

        private static func said(by martlet: RunningMartlet) async throws -> String? {
            let answer = try await martlet.data.post("/v1/completions", ["model": "replay", "prompt": "hello"])
            return answer.json["choices"]?.array?.first?["text"]?.string
        }

        private static func run(_ martlet: RunningMartlet, _ options: String...) async throws -> Executable.Result {
            try await Executable.run(
                ["run", martlet.repository, "--state-dir", martlet.stateDirectory]
                    + ["--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"] + options
            )
        }

        // MARK: A repository that is away

        /// As when a disk is mounted late: what was promoted answers, and the repository is read once it is there.
        @Test func repositoryThatIsAwayIsWaitedFor() async throws {
            let repository = try Self.repository()
            let martlet = try await RunningMartlet.started(repository.path)
            try await martlet.waitForConvergence(of: repository.head())
            await martlet.kill()
            let away = repository.path + "-away"
            try FileManager.default.moveItem(atPath: repository.path, toPath: away)
            let later = RunningMartlet(restarting: martlet, options: ["--poll", "1s"])
            try await later.start()
            let event = try await later.waitForEvent("RepositoryNotFound")
            #expect(event.message.contains(repository.path))
            var answer = try await Self.said(by: later)
            while answer == nil { answer = try await Self.said(by: later) }
            #expect(answer == "good day")
            try FileManager.default.moveItem(atPath: away, toPath: repository.path)
            try await later.waitForConvergence(of: Self.answer("good night", in: repository))
            #expect(try await Self.said(by: later) == "good night")
            await later.stop()
        }

        @Test func repositoryThatWasNeverThereIsAnError() async throws {
            let folder = try TemporaryFolder()
            let run = try await Executable.run(
                ["run", folder.file("nowhere"), "--state-dir", folder.file("state")]
                    + ["--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"]
            )
            #expect(run.code == 2)
            #expect(run.complaint.contains("nowhere"), "\(run.complaint)")
        }

        // MARK: Damage

        @Test func damagedDatabaseIsRefusedAndRebuiltWhenAsked() async throws {
            let repository = try Self.repository()
            let martlet = try await RunningMartlet.started(repository.path)
            try await martlet.waitForConvergence(of: repository.head())
            #expect(try await martlet.verb("suspend", "endpoint/replay", "--reason", "a quiet weekend").code == 0)
            await martlet.kill()
            let database = "\(martlet.stateDirectory)/control.db"
            try Data("not what it was".utf8).write(to: URL(filePath: database))
            unlink("\(database)-wal")
            let names = try FileManager.default.contentsOfDirectory(atPath: martlet.stateDirectory).sorted()

            let refused = try await Self.run(martlet)
            #expect(refused.code == 2)
            #expect(refused.complaint.contains(database) && refused.complaint.contains("--rebuild-state"))
            #expect(refused.complaint.contains("no SQLite database"), "\(refused.complaint)")
            #expect(FileManager.default.contents(atPath: database) == Data("not what it was".utf8))
            #expect(try FileManager.default.contentsOfDirectory(atPath: martlet.stateDirectory).sorted() == names)

            let rebuilt = RunningMartlet(restarting: martlet, options: ["--rebuild-state"])
            try await rebuilt.start()
            try await rebuilt.waitForConvergence(of: repository.head())
            #expect(try await Self.said(by: rebuilt) == "good day")
            #expect(rebuilt.log.contains("the damaged database is kept as"), "\(rebuilt.log)")
            let event = try await rebuilt.waitForEvent("StateRebuilt")
            #expect(event.message.contains("audit log is broken"))
            #expect(try await rebuilt.audit().brokenAt == nil)
            let kept = try FileManager.default.contentsOfDirectory(atPath: martlet.stateDirectory)
                .filter { $0.hasPrefix("control.db.corrupt-") }
            let aside = try #require(kept.first { $0.hasSuffix("Z") })
            let bytes = FileManager.default.contents(atPath: "\(martlet.stateDirectory)/\(aside)")
            #expect(bytes == Data("not what it was".utf8))

            // The flag may stay in a service's command line: a sound state is left alone.
            await rebuilt.kill()
            try await rebuilt.start()
            try await rebuilt.waitForConvergence(of: repository.head())
            #expect(rebuilt.log.contains("the state is sound"))
        }

        @Test func damageWhileItRunsStopsNothingThatServes() async throws {
            let repository = try Self.repository()
            let martlet = try await RunningMartlet.started(repository.path)
            try await martlet.waitForConvergence(of: repository.head())
            #expect(try await martlet.verb("backup", "\(martlet.stateDirectory)/../good.backup").code == 0)
            // SQLite finds pages of noise at its next write.
            let log = try FileHandle(forWritingTo: URL(filePath: "\(martlet.stateDirectory)/control.db-wal"))
            let size = try log.seekToEnd()
            try log.seek(toOffset: 32)
            try log.write(contentsOf: Data(repeating: 0xA5, count: Int(size) - 32))
            try log.close()
            try Self.answer("good evening", in: repository)
            for _ in 0..<5 { #expect(try await Self.said(by: martlet) != nil) }
            #expect(martlet.program?.end == nil)
            await martlet.kill()

            let restored = try await martlet.verb("restore", "\(martlet.stateDirectory)/../good.backup", "--force")
            #expect(restored.code == 0, "\(restored.complaint)")
            try await martlet.start()
            try await martlet.waitForConvergence(of: repository.head())
            #expect(try await Self.said(by: martlet) == "good evening")
        }

        // MARK: Backup, restore, export

        @Test func backupOfARunningControllerServesElsewhere() async throws {
            let repository = try Self.repository()
            let first = try await RunningMartlet.started(repository.path)
            try await first.waitForConvergence(of: repository.head())
            let before = try await first.revision("replay")
            try Self.answer("good evening", in: repository)
            try await first.waitForRevision("replay", after: before)
            let rollback = try await first.verb("rollback", "endpoint/replay", "--reason", "it is morning")
            #expect(rollback.code == 0, "\(rollback.complaint)")
            try await first.wait(for: "the rollback") { try await Self.said(by: first) == "good day" }
            let folder = try TemporaryFolder()
            let written = try await first.verb("backup", folder.file("state.backup"), "--with-artifacts")
            #expect(written.code == 0, "\(written.complaint)")
            #expect(written.output.contains("wrote \(folder.file("state.backup"))"))
            let again = try await first.verb("backup", folder.file("state.backup"))
            #expect(again.code == 2 && again.complaint.contains("--force"))
            let running = try await first.verb("restore", folder.file("state.backup"), "--force")
            #expect(running.code == 2 && running.complaint.contains("in use by process"), "\(running.complaint)")
            await first.kill()

            let second = try RunningMartlet(repository.path)
            let restored = try await second.verb("restore", folder.file("state.backup"))
            #expect(restored.code == 0, "\(restored.complaint)")
            try await second.start()
            try await second.wait(for: "the held-back revision to serve") {
                try await Self.said(by: second) == "good day"
            }
            #expect(try await second.holds().map(\.message) == ["it is morning"])
            #expect(try await second.audit().brokenAt == nil)
            let actions = try await second.verb("audit", "-o", "json").output
            #expect(actions.contains("\"restore\"") && actions.contains("\"rollback\""))
            #expect(try await second.verb("restore", folder.file("state.backup")).code == 2)
        }

        @Test func exportIsWhatRuns() async throws {
            let repository = try Self.repository()
            let martlet = try await RunningMartlet.started(repository.path)
            try await martlet.waitForConvergence(of: repository.head())
            let folder = try TemporaryFolder()
            let exported = try await martlet.verb("export", "-A", "--output-dir", folder.path)
            #expect(exported.code == 0, "\(exported.complaint)")
            #expect(exported.output == "default/endpoints/replay.yaml\ndefault/models/replay.yaml\n")
            try folder.write(
                "answers.jsonl",
                Array(try Data(contentsOf: URL(filePath: "\(repository.path)/answers.jsonl")))
            )
            let checked = try await Executable.run(["validate", folder.path])
            #expect(checked.code == 0, "\(checked.complaint)")
            // As a commit of its own it asks for nothing new.
            try repository.write("endpoint.yaml", try await martlet.verb("export", "-A").output)
            let commit = try repository.commit("As exported")
            let seen = try await martlet.revision("replay")
            try await martlet.waitForConvergence(of: commit)
            #expect(try await martlet.revision("replay") == seen)
        }

        // MARK: Disks

        /// Sets the soft limit on how large files may become.
        private static func limitFiles(of process: pid_t, to limit: String) async throws {
            let folder = try TemporaryFolder()
            let program = try Program(
                ["prlimit", "--pid", "\(process)", "--fsize=\(limit):"],
                environment: Executable.environment(),
                output: folder.file("output"),
                complaint: folder.file("complaint")
            )
            #expect(await program.finished() == .exited(0))
        }

        /// A limit on the size of files stands for a full disk: no file may grow, and later it may.
        @Test func fullDiskStopsNoServingAndPasses() async throws {
            let repository = try Self.repository()
            let martlet = try await RunningMartlet.started(repository.path)
            try await martlet.waitForConvergence(of: repository.head())
            let process = try #require(martlet.program?.id)
            try await Self.limitFiles(of: process, to: "0")

            let refused = try await martlet.verb("suspend", "endpoint/replay", "--reason", "now")
            #expect(refused.code == 2)
            #expect(refused.complaint.contains("nothing of this was written"), "\(refused.complaint)")
            let commit = try Self.answer("good evening", in: repository)
            for _ in 0..<20 { #expect(try await Self.said(by: martlet) == "good day") }
            #expect(martlet.program?.end == nil)
            #expect(try await martlet.status().endpoints.map(\.suspended) == [false])

            try await Self.limitFiles(of: process, to: "unlimited")
            try await martlet.waitForConvergence(of: commit)
            #expect(try await Self.said(by: martlet) == "good evening")
            #expect(try await martlet.holds().isEmpty)
            let events = try await martlet.events()
            #expect(events.map(\.sequence) == (1...Int64(events.count)).map(\.self))
        }

        /// Real file systems of a few kilobytes, or read-only, where this machine lets its users mount them.
        @Test(
            .enabled(if: StateTests.mayMount),
            arguments: [
                ("mount -t tmpfs -o size=20k,mode=700 none \"$1\"", "full"),
                ("mount -t tmpfs -o size=1m,ro,mode=700 none \"$1\"", "Read-only file system"),
            ]
        )
        func diskThatCannotBeUsedIsNamedAtTheStart(mount: String, words: String) async throws {
            let repository = try Self.repository()
            let folder = try TemporaryFolder()
            let state = folder.file("state")
            try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: false)
            let words = words
            let program = try Program(
                [
                    "unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount + " && shift && exec \"$@\"",
                    "sh", state,
                ]
                    + [Executable.path, "run", repository.path, "--state-dir", state]
                    + ["--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"],
                environment: Executable.environment(),
                output: folder.file("output"),
                complaint: folder.file("complaint")
            )
            #expect(await program.finished() == .exited(2))
            let complaint = String(decoding: try folder.read("complaint"), as: UTF8.self)
            #expect(complaint.contains("error: ") && complaint.contains(state), "\(complaint)")
            #expect(complaint.contains(words) || complaint.contains("No space left"), "\(complaint)")
        }

        static let mayMount =
            (try? Tool.status(of: ["unshare", "--user", "--map-root-user", "--mount", "true"])) == 0

        // MARK: The second one

        @Test func killedControllerLeavesNoLock() async throws {
            let repository = try Self.repository()
            let martlet = try await RunningMartlet.started(repository.path)
            try await martlet.waitForConvergence(of: repository.head())
            let addresses = "\(martlet.stateDirectory)/run/addresses.json"
            let before = FileManager.default.contents(atPath: addresses)
            let refused = try await Self.run(martlet)
            #expect(refused.code == 2)
            let process = try #require(martlet.program?.id)
            #expect(refused.complaint.contains("process \(process)"), "\(refused.complaint)")
            var name = [CChar](repeating: 0, count: 256)
            gethostname(&name, name.count - 1)
            let host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            #expect(refused.complaint.contains("on \(host)"), "\(refused.complaint)")
            #expect(FileManager.default.contents(atPath: addresses) == before)
            let rebuild = try await Self.run(martlet, "--rebuild-state")
            #expect(rebuild.code == 2 && rebuild.complaint.contains("in use"))
            #expect(try await martlet.status().source.commit?.id == (try repository.head()))
            await martlet.kill()
            try await martlet.start()
            try await martlet.waitForConvergence(of: repository.head())
        }

        // MARK: Healing

        @Test func removedSocketIsMadeAgain() async throws {
            let repository = try Self.repository()
            let martlet = try await RunningMartlet.started(repository.path)
            try await martlet.waitForConvergence(of: repository.head())
            unlink(martlet.socket)
            try await martlet.wait(for: "the socket to be back") { try await martlet.verb("status").code == 0 }
            let mode = try FileManager.default.attributesOfItem(atPath: martlet.socket)[.posixPermissions]
            #expect(mode as? Int == 0o600)
            #expect(await martlet.stop() == .exited(0), "\(martlet.log)")
            #expect(access(martlet.socket, F_OK) != 0)
        }

        @Test func removedArtifactsFolderIsMadeAgain() async throws {
            let repository = try Self.repository()
            let martlet = try await RunningMartlet.started(repository.path)
            try await martlet.waitForConvergence(of: repository.head())
            try FileManager.default.removeItem(atPath: "\(martlet.stateDirectory)/artifacts")
            let commit = try Self.answer("good evening", in: repository)
            try await martlet.waitForConvergence(of: commit)
            #expect(try await Self.said(by: martlet) == "good evening")
        }
    }
}
