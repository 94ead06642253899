import Foundation
import Planning
import Schema
import TestSupport
import Testing

@testable import Commands

/// What people are shown of guards, and how they answer them.
struct GuardVerbTests {
    // MARK: Removals

    private static let endpoints = (1...4).map { number in
        """
        ---
        apiVersion: martlet.dev/v1
        kind: Endpoint
        metadata: {name: e\(number)}
        spec: {serve: {chain: desk}, access: {anonymous: true}}

        """
    }

    private static func plan(_ arguments: [String], keeping count: Int) async throws -> CommandLineRun {
        let folder = try TemporaryFolder()
        let base = Manifests.desk(["more.yaml": Self.endpoints.joined()])
        let head = count < 0 ? [:] : Manifests.desk(["more.yaml": Self.endpoints.prefix(count).joined()])
        return await CommandLineRun.run(
            ["plan", folder.path, "--base", "old", "--head", "new"] + arguments,
            repository: MemoryRepository(["old": base, "new": head])
        )
    }

    private static let sentence =
        "commit 6e65770000 would remove 4 of 5 endpoints: default/e1, default/e2, default/e3 and 1 more; nothing is "
        + "removed until 'martlet confirm 6e65770000'"

    @Test("A plan says in each form what the guard would stop, and leaves it out")
    func plan() async throws {
        let text = try await Self.plan([], keeping: 0)
        #expect(text.code == 1)
        #expect(text.output.contains("\n\nGuarded\n  \(Self.sentence)\n"), "\(text.output)")
        #expect(!text.output.contains("forget"))
        let markdown = try await Self.plan(["-o", "markdown"], keeping: 0)
        #expect(markdown.output.contains("**Guarded**\n\n- commit 6e65770000 would remove 4 of 5 endpoints"))
        let json = try await Self.plan(["-o", "json"], keeping: 0)
        let guarded = try JSONValue(parsing: json.output)["plan"]?["guarded"]?.array
        #expect(guarded?.first?["message"]?.string == Self.sentence)
        #expect(guarded?.first?["endpoints"]?.array?.count == 4)
    }

    @Test("Smaller removals pass; a repository that declares nothing any more does not")
    func boundaries() async throws {
        let few = try await Self.plan([], keeping: 2)
        #expect(few.code == 1)
        #expect(!few.output.contains("Guarded") && few.output.contains("forget"))
        let none = try await Self.plan([], keeping: -1)
        #expect(none.code == 1)
        #expect(none.output.contains("declares nothing any more and would remove 5 of 5 endpoints"))
    }

    @Test("confirm sends the commit and says what it removes")
    func confirm() async throws {
        let confirmation = PruneConfirmation(
            commit: "c0ffee00c0ffee",
            endpoints: (1...3).map { ResourceIdentity(.endpoint, namespace: "shop", name: "e\($0)") },
            actor: Actor("ada"),
            reason: "moved",
            at: Timestamp(milliseconds: 1)
        )
        let controller = try FakeController { _ in .init(body: SampleViews.json(confirmation)) }
        let run = await CommandLineRun.run(["confirm", "c0ffee", "--reason", "moved"], socket: controller.socket)
        #expect((run.code, run.output) == (0, "commit c0ffee00c0 removes 3 endpoints\n"))
        let sent = try #require(controller.log.first)
        #expect(sent.hasPrefix("POST /api/v1/confirm "))
        let body = try JSONValue(parsing: String(sent.dropFirst("POST /api/v1/confirm ".count)))
        #expect(body == ["commit": "c0ffee", "reason": "moved"])
    }

    @Test(
        "A word that is no commit, or a window that is none, is refused at once",
        arguments: [
            (["confirm", "abc"], "at least 4 of its digits"), (["confirm", "main"], "is no commit"),
            (["run", "--sync-mode", "sometimes"], "sometimes"),
            (
                ["run", "--sync-window", "allow 0 22 * * * 2h", "--sync-window", "deny 0 25 * * * 2h"],
                "'25' is no hour"
            ),
            (["run", "--sync-window", "allow 0 22 * * * 2h Nowhere"], "'Nowhere' is no time zone"),
            (["sync", "--revision", ""], "--revision names a commit"),
        ]
    )
    func refusals(arguments: [String], message: String) async {
        let run = await CommandLineRun.run(arguments)
        #expect(run.code == 2)
        #expect(run.errors.contains(message), "\(run.errors)")
    }

    // MARK: Commits that wait

    private static let wait = SyncWait(
        word: "OutsideSyncWindow",
        reason: "no sync window is open: 'allow 0 22 * * * 2h UTC'",
        until: Timestamp(milliseconds: 1_700_000_000_000)
    )
    private static let newest = CommitSummary(id: "beef0000beef0000", subject: "Answer better", author: "Ada", time: 2)

    @Test("status shows the commit that waits, for what and until when, and what the guard stopped")
    func status() async throws {
        var status = SampleViews.status(healthy: false)
        let place = SourceLocation(path: "desk.yaml", line: 3, column: 1)
        status.source.waiting = WaitingCommit(
            commit: Self.newest,
            wait: Self.wait,
            errors: [Diagnostic(at: place, "no such thing")]
        )
        status.guarded = [
            PruneStop(
                commit: CommitSummary(id: "c0ffee00c0ffee", subject: "", author: "", time: 0),
                endpoints: [ResourceIdentity(.endpoint, namespace: "shop", name: "desk")],
                total: 1,
                isEmptied: true
            )
        ]
        let answer = SampleViews.json(status)
        let controller = try FakeController { _ in .init(body: answer) }
        let run = await CommandLineRun.run(["status"], socket: controller.socket)
        #expect(
            run.output.contains(
                """
                Commit    c0ffee00 Answer better
                Waiting   beef0000be Answer better
                          OutsideSyncWindow: no sync window is open: 'allow 0 22 * * * 2h UTC'; until 2023-11-14T22:13:20.000Z
                          it has 1 error; the first: desk.yaml:3:1: error: no such thing
                Sync      OutOfSync
                """
            ),
            "\(run.output)"
        )
        #expect(
            run.output.contains("\n\nGuarded\n  commit c0ffee00c0 declares nothing any more and would remove 1 of 1 ")
        )
    }

    @Test("A live plan shows what the commit that waits would do")
    func livePlan() async throws {
        let desk = VariantID(namespace: "default", endpoint: "desk")
        let step = PlanStep(
            action: .forget(desk),
            reason: "default/desk left the repository",
            cause: PlanCause(resource: desk.resource)
        )
        let proposed = ProposedPlan(
            commit: Self.newest,
            wait: Self.wait,
            plan: Plan(commit: Self.newest.id, steps: [step]),
            diagnostics: []
        )
        let answer = SampleViews.json(Plan(commit: "c0ffee00c0ffee", proposed: [proposed]))
        let controller = try FakeController { _ in .init(body: answer) }
        for form in ["text", "markdown", "json"] {
            let run = await CommandLineRun.run(["plan", "--live", "-o", form], socket: controller.socket)
            #expect(run.code == 1)
            let heading = "of commit beef0000be, which waits until 2023-11-14T22:13:20.000Z"
            #expect(run.output.contains(heading), "\(run.output)")
            #expect(run.output.contains("left the repository"))
        }
    }

    @Test("sync names the commit to apply")
    func sync() async throws {
        let answer = SampleViews.json(Self.newest)
        let controller = try FakeController { _ in .init(body: answer) }
        let run = await CommandLineRun.run(
            ["sync", "--revision", "beef0000", "--reason", "reviewed"],
            socket: controller.socket
        )
        #expect((run.code, run.output) == (0, "beef0000be Answer better\n"))
        #expect(controller.log.first?.contains(#""revision":"beef0000""#) == true)
    }
}
