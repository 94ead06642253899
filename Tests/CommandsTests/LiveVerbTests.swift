import Planning
import Schema
import Synchronization
import Testing

@testable import Commands

/// Verbs that ask and steer a controller: what they send, and how they print what comes back.
struct LiveVerbTests {
    private static let a = SampleViews.revision("a").description
    private static let b = SampleViews.revision("b").description

    /// Runs a command line against a controller that knows these answers, by `METHOD target`.
    static func run(
        _ arguments: [String],
        _ answers: [String: String]
    ) async throws -> (run: CommandLineRun, log: [String]) {
        let controller = try FakeController { request in
            let target = request.split(separator: " ").prefix(2).joined(separator: " ")
            guard let body = answers[target] else {
                let body = #"{"type":"about:blank","title":"Not Found","status":404,"detail":"there is no \#(target)"}"#
                return .init(status: 404, type: "application/problem+json", body: body)
            }
            return .init(body: body)
        }
        let run = await CommandLineRun.run(arguments, socket: controller.socket)
        return (run, controller.log)
    }

    @Test("Endpoints are shown with their four revisions; text of others cannot touch the terminal")
    func endpoints() async throws {
        let answers = [
            "GET /api/v1/resources?kind=Endpoint&namespace=shop&limit=500": SampleViews.json([SampleViews.endpoint])
        ]
        let table = try await LiveVerbTests.run(["get", "endpoints", "-n", "shop"], answers).run
        #expect(table.code == 0)
        #expect(
            table.output == """
                ENDPOINT    SYNC        HEALTH        SERVING      PROMOTED     DESIRED      REPLICAS   REASON
                shop/desk   OutOfSync   Progressing   \(Self.a)   \(Self.a)   \(Self.b)   1          \
                RollingOut: one two \\u{1b}[31m

                """
        )
        let wide = try await LiveVerbTests.run(["get", "endpoint", "-n", "shop", "-o", "wide"], answers).run
        #expect(wide.output.contains("ATTEMPTED    IN FLIGHT   SETTINGS     REASON\n"))
        #expect(wide.output.contains("   \(Self.b)   2           \(SampleViews.revision("s"))   RollingOut"))
        let names = try await LiveVerbTests.run(["get", "Endpoint", "-n", "shop", "-o", "name"], answers).run
        #expect(names.output == "Endpoint/shop/desk\n")
        let json = try await LiveVerbTests.run(["get", "endpoints", "-n", "shop", "-o", "json"], answers).run
        #expect(try JSONValue(parsing: json.output) == JSONValue(parsing: SampleViews.json([SampleViews.endpoint])))
        let yaml = try await LiveVerbTests.run(["get", "endpoints", "-n", "shop", "-o", "yaml"], answers).run
        #expect(yaml.output.hasPrefix("- conditions:\n"))
        #expect(yaml.output.contains("\n  labels:\n    team: support\n"))
    }

    @Test("Lists are asked for page by page, and no further than somebody wants")
    func pages() async throws {
        let controller = try FakeController { request in
            let isFirst = !request.contains("continue=")
            let view = isFirst ? SampleViews.endpoint : SampleViews.model
            return .init(headers: isFirst ? ["x-martlet-continue": "6d6f7265"] : [:], body: SampleViews.json([view]))
        }
        let both = await CommandLineRun.run(["get", "all", "-A", "-o", "name"], socket: controller.socket)
        #expect(both.output == "Endpoint/shop/desk\nModel/shop/tiny\n")
        let one = await CommandLineRun.run(
            ["get", "all", "-A", "-o", "name", "--limit", "1"],
            socket: controller.socket
        )
        #expect(one.output == "Endpoint/shop/desk\n")
        let targets = controller.log.map { $0.split(separator: " ")[1] }
        #expect(
            targets == [
                "/api/v1/resources?limit=500", "/api/v1/resources?limit=500&continue=6d6f7265",
                "/api/v1/resources?limit=1",
            ]
        )
        let wrong = await CommandLineRun.run(["get", "all", "--limit", "0"], socket: controller.socket)
        #expect(wrong.code == 2 && wrong.errors.contains("--limit"))
    }

    @Test("All kinds of all namespaces, by label")
    func all() async throws {
        let answers = ["GET /api/v1/resources?limit=500": SampleViews.json([SampleViews.endpoint, SampleViews.model])]
        let all = try await LiveVerbTests.run(["get", "all", "-A", "-o", "wide"], answers).run
        #expect(
            all.output == """
                RESOURCE             SYNC        HEALTH        DIGEST       LOCATION        REASON
                Endpoint/shop/desk   OutOfSync   Progressing   -            desk.yaml:1:1   \
                RollingOut: one two \\u{1b}[31m
                Model/shop/tiny      Synced      Healthy       \(Digest(of: "m".utf8).short)   tiny.yaml:1:1

                """
        )
        let chosen = try await LiveVerbTests.run(["get", "all", "-A", "-l", "team!=support", "-o", "name"], answers).run
        #expect(chosen.output == "Model/shop/tiny\n")
        let none = try await LiveVerbTests.run(["get", "all", "-A", "-l", "team=x"], answers).run
        #expect(none.code == 0)
        #expect(none.output.isEmpty)
        #expect(none.errors == "No resources.\n")
    }

    @Test("Holds and rollouts are lists too")
    func holds() async throws {
        let answers = [
            "GET /api/v1/holds": SampleViews.json([SampleViews.hold]),
            "GET /api/v1/rollouts": SampleViews.json(SampleViews.endpoint.variants),
        ]
        let holds = try await LiveVerbTests.run(["get", "holds", "-A"], answers).run
        #expect(
            holds.output == """
                VARIANT     REVISION     BY    SINCE                      REASON
                shop/desk   \(Self.b)   ada   2023-11-14T22:13:20.000Z   RolledBack: worse answers

                """
        )
        let elsewhere = try await LiveVerbTests.run(["get", "holds"], answers).run
        #expect(elsewhere.errors == "No holds in namespace 'default'.\n")
        let rollouts = try await LiveVerbTests.run(["get", "rollouts", "-n", "shop"], answers).run
        #expect(rollouts.output.contains("shop/desk   \(Self.b)   \(Self.a)   immediate   preparing"))
    }

    @Test("One resource is asked for by its path; what is not there is said with exit code 2")
    func single() async throws {
        let answers = [
            "GET /api/v1/resources/Endpoint/shop/desk": SampleViews.json(SampleViews.endpoint),
            "GET /api/v1/events?limit=10&resource=Endpoint%2Fshop%2Fdesk": SampleViews.json([SampleViews.event(4, "x")]
            ),
        ]
        for words in [["endpoint", "shop/desk"], ["endpoint/shop/desk"], ["endpoints", "desk", "-n", "shop"]] {
            let run = try await LiveVerbTests.run(["get"] + words + ["-o", "yaml"], answers).run
            #expect(run.output.contains("\nspec:\n  serve:\n    chain: desk\n"))
        }
        let described = try await LiveVerbTests.run(["describe", "endpoint/shop/desk"], answers).run
        #expect(described.output.contains("Resource    Endpoint/shop/desk\nSync        OutOfSync\n"))
        #expect(described.output.contains("  promoted  \(Self.a)\n"))
        #expect(described.output.contains("Spec\n  serve:\n    chain: desk\n"))
        #expect(described.output.contains("2023-11-14T22:13:20.250Z ! Held: x"))
        let missing = try await LiveVerbTests.run(["get", "endpoint", "gone"], answers).run
        #expect(missing.code == 2)
        #expect(missing.errors == "error: there is no GET /api/v1/resources/Endpoint/default/gone\n")
    }

    @Test("--watch prints again what changed, and only then, until the controller stops")
    func watches() async throws {
        let asked = Mutex(0)
        let controller = try FakeController { request in
            if request.hasPrefix("GET /api/v1/events?limit=1") {
                return .init(body: SampleViews.json([SampleViews.event(6, "old")]))
            }
            if request.hasPrefix("GET /api/v1/events?follow=true&after=6") {
                let events = [Int64](7...9).map {
                    "id: \($0)\ndata: \(SampleViews.json(SampleViews.event($0, "é")))\n\n"
                }
                return .init(type: "text/event-stream", body: ": events\n\n" + events.joined())
            }
            // The second look finds what the first found; the third and the fourth find a change.
            var view = SampleViews.model
            view.health = asked.withLock { count in
                count += 1
                return count < 3 ? .healthy : .degraded
            }
            return .init(body: SampleViews.json([view]))
        }
        let run = await CommandLineRun.run(["get", "models", "-A", "--watch"], socket: controller.socket)
        #expect(run.code == 2)
        #expect(run.errors == "error: the controller at \(controller.socket) stopped\n")
        #expect(
            run.output == """
                MODEL       SYNC     HEALTH    STATE   MEMORY   LAST USED   REASON
                shop/tiny   Synced   Healthy   -       -        -
                MODEL       SYNC     HEALTH     STATE   MEMORY   LAST USED   REASON
                shop/tiny   Synced   Degraded   -       -        -

                """
        )
    }

    @Test("Events follow the newest that was printed")
    func followsEvents() async throws {
        let controller = try FakeController { request in
            guard request.contains("follow=true&after=6") else {
                return .init(body: SampleViews.json([SampleViews.event(6, "old")]))
            }
            return .init(type: "text/event-stream", body: "data: \(SampleViews.json(SampleViews.event(7, "new")))\n\n")
        }
        let run = await CommandLineRun.run(["events", "--watch", "-o", "name"], socket: controller.socket)
        #expect(run.output == "6\n7\n")
    }

    @Test("status shows the page; --wait ends with 1 when it is not so in time")
    func status() async throws {
        let waiting = ["GET /api/v1/status": SampleViews.json(SampleViews.status(healthy: false))]
        let page = try await LiveVerbTests.run(["status"], waiting).run
        #expect(page.code == 0)
        #expect(
            page.output.hasPrefix(
                """
                Source    /shop main
                Commit    c0ffee00 Answer better
                Sync      OutOfSync
                Health    Progressing
                Memory    3 MiB of 1 GiB
                Steps     3 to do

                ENDPOINT
                """
            )
        )
        #expect(page.output.contains("\n\nHolds\nVARIANT"))
        let late = try await LiveVerbTests.run(["status", "--wait", "1ms"], waiting).run
        #expect(late.code == 1)
        #expect(late.errors == "error: not synced and healthy within 1ms\n")
        let settled = ["GET /api/v1/status": SampleViews.json(SampleViews.status(healthy: true))]
        #expect(try await LiveVerbTests.run(["status", "--wait", "1ms"], settled).run.code == 0)
        #expect(try await LiveVerbTests.run(["status", "--wait", "1ms", "--commit", "C0FFEE"], settled).run.code == 0)
        let other = try await LiveVerbTests.run(["status", "--wait", "1ms", "--commit", "c0ffef"], settled).run
        #expect(other.code == 1)
        #expect(other.errors == "error: commit c0ffef is not in force within 1ms, but c0ffee00\n")
    }

    @Test("--wait says what keeps the commit from being in force")
    func waitsForRefused() async throws {
        var view = SampleViews.status(healthy: false)
        view.source.condition.status = .no
        view.source.condition.reason = "SignatureRejected"
        view.source.condition.message = "commit c0ffef is not applied"
        let refused = try await LiveVerbTests.run(
            ["status", "--wait", "1ms", "--commit", "c0ffef"],
            ["GET /api/v1/status": SampleViews.json(view)]
        ).run
        #expect(
            refused.errors == "error: commit c0ffef is not in force within 1ms, but c0ffee00; "
                + "SignatureRejected: commit c0ffef is not applied\n"
        )
    }

    @Test("--wait looks again until it is so")
    func waits() async throws {
        let asked = Mutex(0)
        let controller = try FakeController { _ in
            let count = asked.withLock { count in
                count += 1
                return count
            }
            return .init(body: SampleViews.json(SampleViews.status(healthy: count == 3)))
        }
        let run = await CommandLineRun.run(["status", "--wait", "10m", "-o", "name"], socket: controller.socket)
        #expect(run.code == 0)
        #expect(run.output == "Endpoint/shop/desk\n")
        #expect(controller.log.count == 3)
    }

    @Test(
        "Steering verbs send who, what and why",
        arguments: [
            (
                ["suspend", "endpoint/shop/desk", "--reason", "look"],
                "POST /api/v1/suspend", #"{"reason":"look","resource":"Endpoint/shop/desk"}"#,
                "Endpoint/shop/desk is suspended\n"
            ),
            (["resume", "--all"], "POST /api/v1/resume", #"{"reason":""}"#, "everything is resumed\n"),
            (
                ["retry", "desk", "--variant", "acme"],
                "POST /api/v1/retry", #"{"reason":"","variant":"default/desk@acme"}"#,
                "default/desk@acme is tried again\n"
            ),
            (
                ["release", "endpoint/desk", "-o", "json"],
                "POST /api/v1/release", #"{"reason":"","variant":"default/desk"}"#,
                "{\n  \"action\" : \"release\",\n  \"subject\" : \"default/desk\"\n}\n"
            ),
        ]
    )
    func steers(arguments: [String], target: String, body: String, says: String) async throws {
        let (run, log) = try await LiveVerbTests.run(arguments, [target: ""])
        #expect(run.code == 0)
        #expect(run.output == says)
        let sent = try #require(log.first)
        #expect(sent.hasPrefix(target + " "))
        #expect(try JSONValue(parsing: String(sent.dropFirst(target.count + 1))) == JSONValue(parsing: body))
    }

    @Test("rollback says where it goes and what is held; sync says the commit")
    func rollback() async throws {
        let answers = [
            "POST /api/v1/rollback": SampleViews.json(SampleViews.hold),
            "POST /api/v1/sync": SampleViews.json(
                CommitSummary(id: "c0ffee00c0ffee", subject: "S", author: "", time: 1)
            ),
        ]
        let (run, log) = try await LiveVerbTests.run(
            ["rollback", "endpoint/shop/desk", "--to", "abc", "--reason", "worse answers"],
            answers
        )
        #expect(run.output == "shop/desk goes back to \(Self.a); \(Self.b) is held: worse answers\n")
        #expect(log.first?.contains(#""to":"abc""#) == true)
        #expect(try await LiveVerbTests.run(["sync"], answers).run.output == "c0ffee00c0 S\n")
    }

    @Test("status of several sources counts them, and gives each a line")
    func statusOfSources() async throws {
        var status = SampleViews.status(healthy: true)
        status.sources = ["desk", "shop"].map { name in
            var source = status.source
            source.name = name
            return source
        }
        status.source.location = "2 sources"
        status.source.ref = ""
        let run = try await LiveVerbTests.run(["status"], ["GET /api/v1/status": SampleViews.json(status)]).run
        let head = """
            Sources   2
              desk  c0ffee00 Answer better  (/shop main)
              shop  c0ffee00 Answer better  (/shop main)
            Commit    c0ffee00 Answer better

            """
        #expect(run.output.hasPrefix(head), "\(run.output)")
    }

    @Test("audit fits a terminal, unless everything is asked for")
    func auditFitsTerminal() async throws {
        let entry = AuditEntry(
            sequence: 7,
            at: Timestamp(milliseconds: 0),
            actor: Planning.Actor("somebody"),
            action: "suspend",
            subject: "Endpoint/default/desk",
            reason: String(repeating: "a long story ", count: 30),
            origin: "cli"
        )
        let controller = try FakeController { _ in .init(body: SampleViews.json([entry])) }
        for (format, columns, isWhole) in [("table", 130, false), ("wide", 130, true), ("table", nil, true)] {
            let run = await CommandLineRun.run(
                ["audit", "-o", format],
                socket: controller.socket,
                columns: columns as Int?
            )
            #expect(run.output.contains(entry.reason.dropLast()) == isWhole)
            #expect(run.output.split(separator: "\n").allSatisfy { $0.count <= 130 } == !isWhole, "\(run.output)")
            #expect(run.output.contains("Endpoint/default/desk"))
        }
    }

    @Test("audit verify ends with 1 when the chain is broken")
    func auditVerify() async throws {
        let target = "GET /api/v1/audit/verify"
        let whole = AuditVerification(entries: 3, brokenAt: nil, message: "")
        let broken = AuditVerification(entries: 3, brokenAt: 2, message: "the digest differs")
        let good = try await LiveVerbTests.run(["audit", "verify"], [target: SampleViews.json(whole)]).run
        #expect((good.code, good.output) == (0, "3 entries, the chain is whole\n"))
        let bad = try await LiveVerbTests.run(["audit", "verify"], [target: SampleViews.json(broken)]).run
        #expect((bad.code, bad.output) == (1, "broken at entry 2: the digest differs\n"))
    }

    @Test("A live plan is the controller's; 0 when it has converged")
    func livePlan() async throws {
        let plan = Plan(commit: "c0ffee00c0ffee", steps: [])
        let run = try await LiveVerbTests.run(["plan", "--live"], ["GET /api/v1/plan": SampleViews.json(plan)]).run
        #expect(run.code == 0)
        #expect(run.output == "Plan of the running controller, for commit c0ffee00c0\n\nNothing to do.\n")
        let early = ["GET /api/v1/plan": SampleViews.json(Plan(commit: ""))]
        let none = try await LiveVerbTests.run(["plan", "--live"], early).run
        #expect(none.output.hasPrefix("Plan of the running controller, before any commit\n"))
    }

    @Test("A live plan says that the newest commit is refused, and why", arguments: ["text", "markdown"])
    func refusedPlan(form: String) async throws {
        let plan = Plan(commit: "c0ffee00c0ffee", obstacles: ["the newest commit is refused: no signature"])
        let answers = ["GET /api/v1/plan": SampleViews.json(plan)]
        let run = try await LiveVerbTests.run(["plan", "--live", "-o", form], answers).run
        #expect(run.code == 1)
        #expect(run.output.contains("Not in force") && run.output.contains("the newest commit is refused"))
        #expect(!run.output.contains("Nothing to do"))
    }

    @Test("An answer that is no JSON of ours is said to be of another version")
    func unreadable() async throws {
        let run = try await LiveVerbTests.run(["sync"], ["POST /api/v1/sync": "<html>"]).run
        #expect(run.code == 2)
        #expect(run.errors.hasPrefix("error: the controller's answer cannot be read; is it of another version"))
    }
}
