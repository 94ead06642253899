internal import Foundation
internal import Schema
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// More lazy models than the memory budget holds.
    struct ManyModelsTests {
        private static let count = 36
        private static let budget = 12

        /// Each with an endpoint of its own, and a memory of 1 MiB by its manifest.
        private static func repository() throws -> TemporaryRepository {
            let repository = try TemporaryRepository()
            for number in 0..<self.count {
                try repository.write("models/m\(number).onnx", bytes: SmallModel.multiplying(by: Float(number)))
                try repository.write("m\(number).yaml", self.manifest("m\(number)"))
            }
            try repository.write("models/broken.onnx", "no model")
            try repository.write("broken.yaml", self.manifest("broken"))
            try repository.commit("Register models")
            return repository
        }

        private static func manifest(_ name: String) -> String {
            """
            apiVersion: martlet.dev/v1
            kind: Model
            metadata: {name: \(name)}
            spec: {engine: onnx, load: lazy, source: {uri: models/\(name).onnx}, resources: {memory: 1Mi}}
            ---
            apiVersion: martlet.dev/v1
            kind: Endpoint
            metadata: {name: \(name)}
            spec: {serve: {model: \(name)}, access: {anonymous: true}}

            """
        }

        private static func ask(_ name: String, _ martlet: RunningMartlet) async throws -> DataClient.Answer {
            let x: JSONValue = ["name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 10]]
            return try await martlet.data.post("/v2/models/\(name)/infer", ["inputs": [x]])
        }

        private static func metric(_ name: String, of martlet: RunningMartlet) async throws -> Double {
            let lines = try await martlet.metrics.get("/metrics").text.split(separator: "\n")
            let line = try #require(lines.first { $0.hasPrefix("\(name) ") })
            return try #require(Double(line.split(separator: " ")[1]))
        }

        @Test(.enabled(if: Executable.hasONNX, "the onnx engine is not installed; run scripts/bootstrap"))
        func allAnswerUnderOneBudget() async throws {
            let repository = try Self.repository()
            let martlet = try await RunningMartlet.started(
                repository.path,
                options: ["--memory-budget", "\(Self.budget)Mi"]
            )
            try await martlet.waitForConvergence(of: repository.head())
            #expect(try await Self.metric("martlet_pool_resident_models", of: martlet) == 0, "nobody has asked yet")
            for _ in 0..<2 {
                for number in 0..<Self.count {
                    let answer = try await Self.ask("m\(number)", martlet)
                    #expect(answer.status == 200, "\(answer.text)")
                    let words = "\"data\":[\(number).0,\(number * 10).0]"
                    #expect(answer.text.contains(words), "\(answer.text)")
                }
            }
            #expect(try await Self.metric("martlet_pool_loads_total", of: martlet) == Double(Self.count))
            #expect(try await Self.metric("martlet_pool_swap_in_seconds_count", of: martlet) == Double(Self.count))
            #expect(try await Self.metric("martlet_pool_resident_models", of: martlet) == Double(Self.budget))
            #expect(
                try await Self.metric("martlet_pool_resident_bytes", of: martlet) <= Double(Self.budget << 20)
            )
            try await Self.expectRefusal(by: martlet)
        }

        /// A file that is no model costs the endpoint nothing but its answers.
        private static func expectRefusal(by martlet: RunningMartlet) async throws {
            let refusal = try await self.ask("broken", martlet)
            #expect(refusal.status == 503)
            #expect(refusal.headers["retry-after"] != nil)
            #expect(refusal.text.contains("broken.onnx"), "\(refusal.text)")
            #expect(try await self.ask("m0", martlet).status == 200)
        }
    }
}
