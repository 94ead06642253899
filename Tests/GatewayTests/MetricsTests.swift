import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import Planning
import Schema
import Testing

@testable import Gateway
@testable import Serving

@Suite("Metrics")
struct MetricsTests {
    private func scrape(
        _ path: String,
        families: [MetricFamily] = [],
        readiness: ReadinessReport = ReadinessReport()
    ) async throws -> Reply {
        let plane = MetricsPlane(metrics: { families }, readiness: { readiness })
        return try await Application(
            router: plane.makeRouter(),
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0))
        ).test(.live) { try await $0.send(.get, path) }
    }

    @Test("Families are written in the text format, sorted, escaped and each once")
    func text() async throws {
        let families = [
            MetricFamily(
                name: "martlet_up",
                help: "One\nline \\ \"as it is\".",
                kind: .gauge,
                samples: [
                    .init(labels: [.init("a", "x\"y\\z\n"), .init("b", "é")], value: 1),
                    .init(value: 0.25),
                    .init(labels: [.init("a", "none")], value: .nan),
                    .init(labels: [.init("a", "much")], value: .infinity),
                ]
            ),
            MetricFamily(name: "martlet_a_total", help: "Counted.", kind: .counter, samples: [.init(value: 1e15)]),
            MetricFamily(name: "martlet_up", help: "Twice.", kind: .gauge, samples: [.init(value: 9)]),
        ]
        let reply = try await self.scrape("/metrics", families: families)
        #expect(reply.header("content-type") == "text/plain; version=0.0.4; charset=utf-8")
        #expect(
            reply.text == #"""
                # HELP martlet_a_total Counted.
                # TYPE martlet_a_total counter
                martlet_a_total 1000000000000000
                # HELP martlet_up One\nline \\ "as it is".
                # TYPE martlet_up gauge
                martlet_up{a="x\"y\\z\n",b="é"} 1
                martlet_up 0.25
                martlet_up{a="none"} NaN
                martlet_up{a="much"} +Inf

                """#
        )
    }

    @Test("A histogram's buckets add up, bounds included")
    func histogram() {
        var metrics = ServingMetrics()
        var subject = ServingMetrics.Subject()
        for seconds in [0.005, 0.01, 0.015, 100] { subject.duration.record(seconds) }
        metrics.subjects[Self.runner] = subject
        let lines = PrometheusText.encode(metrics.families).split(separator: "\n").filter {
            $0.hasPrefix("gen_ai_server_request_duration_seconds")
        }
        #expect(lines.count == 17)
        #expect(lines.first == "gen_ai_server_request_duration_seconds_bucket{\(Self.labels),le=\"0.01\"} 2")
        #expect(lines[1] == "gen_ai_server_request_duration_seconds_bucket{\(Self.labels),le=\"0.02\"} 3")
        #expect(lines[13] == "gen_ai_server_request_duration_seconds_bucket{\(Self.labels),le=\"81.92\"} 3")
        #expect(lines[14] == "gen_ai_server_request_duration_seconds_bucket{\(Self.labels),le=\"+Inf\"} 4")
        #expect(lines[15] == "gen_ai_server_request_duration_seconds_sum{\(Self.labels)} 100.03")
        #expect(lines[16] == "gen_ai_server_request_duration_seconds_count{\(Self.labels)} 4")
    }

    @Test("What was served appears under its names")
    func serving() {
        var metrics = ServingMetrics()
        var subject = ServingMetrics.Subject()
        subject.requests = ["ok": 3, "queueFull": 1]
        subject.inputTokens.record(7)
        subject.outputTokens.record(2)
        let fired = GuardRecord(place: "output", rule: "deny", action: "redact", detail: "why")
        subject.guards = [ServingMetrics.FiredGuard(fired): 4]
        subject.timeToFirstToken.record(0.03)
        metrics.subjects[Self.runner] = subject
        metrics.inFlight[Self.runner] = 2
        metrics.queued[Self.runner] = 5
        metrics.abandonedCalls = 1
        let instance = InstanceKey(Digest(of: [2]))
        metrics.instances[instance] = InstanceObservation(state: .ready, memoryBytes: 1024, copies: 2)
        var server = UpstreamObservation(url: "http://a/v1")
        (server.requests, server.retries, server.isCoolingDown) = (9, 2, true)
        server.failures = [.timedOut: 2, .unavailable: 1]
        let model = ResourceIdentity(.model, namespace: "default", name: "elsewhere")
        metrics.upstreams[instance] = ServingMetrics.Upstreams(model: model, servers: [server])
        let elsewhere = "model=\"default/elsewhere\",upstream=\"http://a/v1\",position=\"0\",instance=\"\(instance)\""
        let text = PrometheusText.encode(metrics.families)
        for line in [
            "martlet_upstream_requests_total{\(elsewhere)} 9",
            "martlet_upstream_failures_total{\(elsewhere),reason=\"timedOut\"} 2",
            "martlet_upstream_failures_total{\(elsewhere),reason=\"unavailable\"} 1",
            "martlet_upstream_retries_total{\(elsewhere)} 2",
            "martlet_upstream_cooling_down{\(elsewhere)} 1",
            "martlet_requests_total{\(Self.labels),result=\"ok\"} 3",
            "martlet_guards_total{\(Self.labels),place=\"output\",rule=\"deny\",action=\"redact\"} 4",
            "martlet_requests_total{\(Self.labels),result=\"queueFull\"} 1",
            "martlet_requests_in_flight{\(Self.labels)} 2",
            "martlet_requests_queued{\(Self.labels)} 5",
            "martlet_abandoned_calls_total 1",
            "martlet_instance_memory_bytes{instance=\"\(instance)\",state=\"ready\"} 1024",
            "martlet_instance_copies{instance=\"\(instance)\",state=\"ready\"} 2",
            "gen_ai_client_token_usage_sum{\(Self.labels),gen_ai_token_type=\"input\"} 7",
            "gen_ai_client_token_usage_sum{\(Self.labels),gen_ai_token_type=\"output\"} 2",
            "gen_ai_server_time_to_first_token_seconds_bucket{\(Self.labels),le=\"0.04\"} 1",
        ] {
            #expect(text.contains(line + "\n"), "\(line)")
        }
    }

    @Test("Connections are counted by listener")
    func connections() {
        let listeners = ListenerConnections()
        let data = listeners.add("data", limit: 1, logger: Logger(label: "test"))
        let admin = listeners.add("admin", limit: 1, logger: Logger(label: "test"))
        for _ in 0..<3 { _ = data.open() }
        data.close()
        _ = admin.open()
        let text = PrometheusText.encode(listeners.families)
        for line in [
            "martlet_connections{listener=\"data\"} 2", "martlet_connections_refused_total{listener=\"data\"} 2",
            "martlet_connections{listener=\"admin\"} 1", "martlet_connections_refused_total{listener=\"admin\"} 0",
        ] {
            #expect(text.contains(line + "\n"), "\(line)")
        }
    }

    private static let runner = RunnerKey(
        VariantID(namespace: "default", endpoint: "desk", tenant: "acme"),
        FakeEndpoints.revision
    )
    private static let labels =
        #"gen_ai_provider_name="martlet",gen_ai_request_model="default/desk","#
        + #"revision="\#(FakeEndpoints.revision)",tenant="acme""#

    @Test("Readiness tells what stands in the way")
    func readiness() async throws {
        let ready = try await self.scrape("/readyz")
        #expect(ready.status == 200)
        #expect(ready.json == ["ready": true, "problems": []])
        let waiting = try await self.scrape("/readyz", readiness: ReadinessReport(problems: ["desk is loading"]))
        #expect(waiting.status == 503)
        #expect(waiting.json == ["ready": false, "problems": ["desk is loading"]])
        #expect(try await self.scrape("/livez").status == 200)
        #expect(try await self.scrape("/none").status == 404)
    }
}
