import Planning
import Schema
import Testing

@testable import Commands

struct ModelTableTests {
    private static let used = Timestamp(milliseconds: 1_700_000_000_250)

    private static func model(_ name: String, _ use: InstanceUse?) -> ResourceView {
        var view = SampleViews.model
        view.name = name
        view.instance = use.map { InstanceView(key: InstanceKey(Digest(of: name.utf8)), $0) }
        return view
    }

    private static let views = [
        model("away", InstanceUse(observation: nil, wasLoaded: true, lastUsed: used)),
        model(
            "here",
            InstanceUse(
                observation: InstanceObservation(state: .ready, memoryBytes: 3 << 19, copies: 2),
                wasLoaded: true,
                lastUsed: used
            )
        ),
        model("idle", InstanceUse(observation: nil)), model("none", nil),
    ]

    private static func get(_ format: String) async throws -> String {
        let answers = ["GET /api/v1/resources?kind=Model&namespace=shop&limit=500": SampleViews.json(Self.views)]
        return try await LiveVerbTests.run(["get", "models", "-n", "shop", "-o", format], answers).run.output
    }

    @Test("Models are shown with what is in memory of each, and when it was used last")
    func table() async throws {
        #expect(
            try await Self.get("table") == """
                MODEL       SYNC     HEALTH    STATE      MEMORY    LAST USED                  REASON
                shop/away   Synced   Healthy   evicted    -         2023-11-14T22:13:20.250Z
                shop/here   Synced   Healthy   ready      1.5 MiB   2023-11-14T22:13:20.250Z
                shop/idle   Synced   Healthy   unloaded   -         -
                shop/none   Synced   Healthy   -          -         -

                """
        )
        let wide = try await Self.get("wide").split(separator: "\n")
        #expect(wide.first?.contains("LAST USED                  COPIES   INSTANCE") == true)
        #expect(wide.dropFirst(2).first?.contains("   2        \(InstanceKey(Digest(of: "here".utf8)))") == true)
    }

    @Test("Programs find the same in the JSON")
    func json() async throws {
        let views = try JSONValue(parsing: try await Self.get("json")).array ?? []
        #expect(views.map { $0["instance"]?["state"]?.string } == ["evicted", "ready", "unloaded", nil])
        #expect(views[0]["instance"]?["lastUsed"] == .integer(Self.used.milliseconds))
        #expect(views[1]["instance"]?["memoryBytes"] == .integer(3 << 19))
        #expect(views[2]["instance"]?["lastUsed"] == nil)
    }

    @Test("Describing a model tells them too")
    func describe() {
        #expect(DescribeText.render(Self.views[1], []).contains("  copies    2, 1.5 MiB\n  last used 2023-11-14T22:13"))
        #expect(DescribeText.render(Self.views[2], []).contains(" unloaded\n  copies    0, 0 B\n  last used -"))
    }
}
