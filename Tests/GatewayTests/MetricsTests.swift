import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Planning
import Schema
import Serving
import Synchronization
import Testing

@testable import Gateway

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
        var counts = HistogramCounts(bounds: [0.5, 1])
        for value in [0.25, 0.5, 0.75, 7] { counts.record(value) }
        let family = MetricFamily(name: "h", help: "H.", kind: .histogram, samples: counts.samples(labels: []))
        #expect(
            PrometheusText.encode([family]) == """
                # HELP h H.
                # TYPE h histogram
                h_bucket{le="0.5"} 2
                h_bucket{le="1"} 3
                h_bucket{le="+Inf"} 4
                h_sum 8.5
                h_count 4

                """
        )
    }

    @Test("Calls are measured under OpenTelemetry's names", arguments: [true, false])
    func calls(streams: Bool) async throws {
        var plane = makeDataPlane(FakeEndpoints())
        let time = Mutex(Duration.zero)
        plane.metrics = CallMetrics(time: {
            time.withLock {
                $0 += .milliseconds(30)
                return $0
            }
        })
        let body = #"{"model": "desk", "stream": \#(streams), "messages": [{"role": "user", "content": "Hi"}]}"#
        try await makeApplication(plane).test(.live) { client in
            _ = try await client.send(.post, ChatRoutesTests.path, body)
        }
        let text = PrometheusText.encode(plane.metrics.families())
        let labels = #"gen_ai_operation_name="chat",gen_ai_provider_name="martlet",gen_ai_request_model="default/desk""#
        #expect(text.contains("gen_ai_server_time_to_first_token_seconds_bucket{\(labels),le=\"0.02\"} 0\n"))
        #expect(text.contains("gen_ai_server_time_to_first_token_seconds_bucket{\(labels),le=\"0.04\"} 1\n"))
        #expect(text.contains("gen_ai_server_request_duration_seconds_bucket{\(labels),le=\"0.04\"} 0\n"))
        #expect(text.contains("gen_ai_server_request_duration_seconds_bucket{\(labels),le=\"0.08\"} 1\n"))
        #expect(text.contains("gen_ai_server_request_duration_seconds_count{\(labels)} 1\n"))
        #expect(text.contains("gen_ai_client_token_usage_sum{\(labels),gen_ai_token_type=\"input\"} 7\n"))
        #expect(text.contains("gen_ai_client_token_usage_sum{\(labels),gen_ai_token_type=\"output\"} 2\n"))
    }

    @Test("Failed calls are counted with their code")
    func failures() async throws {
        let plane = makeDataPlane(FakeEndpoints(text: { _ in throw CallError(.queueFull, "full") }))
        try await makeApplication(plane).test(.live) { client in
            _ = try await client.send(.post, ChatRoutesTests.path, ChatRoutesTests.hello)
        }
        let text = PrometheusText.encode(plane.metrics.families())
        #expect(text.contains("error_type=\"rate_limit_exceeded\",le=\"+Inf\"} 1\n"))
        #expect(!text.contains("time_to_first_token_seconds_count"))
    }

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
