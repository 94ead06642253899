internal import Foundation
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// Examples/catalog: models of tensors over the Open Inference Protocol.
    struct CatalogTests {
        private static let example = "\(Executable.repository)Examples/catalog"

        private let repository: TemporaryRepository

        init() throws {
            self.repository = try TemporaryRepository(ofExample: "catalog")
        }

        /// How many of the 60 flowers that no model has seen get their right kind.
        private static func rightLabels(of martlet: RunningMartlet) async throws -> Int {
            let file = "\(Executable.repository)Tests/EnginesTests/Fixtures/onnx/iris-heldout.csv"
            let rows = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").dropFirst()
                .map { try JSONValue(parsing: "[\($0)]").array ?? [] }
            let input: JSONValue = [
                "name": "X", "datatype": "FP32", "shape": [.integer(Int64(rows.count)), 4],
                "data": .array(rows.map { .array(Array($0.dropLast())) }),
            ]
            let answer = try await martlet.data.post(
                "/v2/models/iris/infer",
                ["inputs": [input], "outputs": [["name": "label"]]]
            )
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.json["model_version"]?.string == answer.revision)
            let labels = answer.json["outputs"]?.array?.first?["data"]?.array ?? []
            #expect(labels.count == 60)
            return zip(labels, rows).count { $0 == $1.last }
        }

        @Test func irisGetsBetterWithItsSecondVersion() async throws {
            let path = "models/iris.yaml"
            let second = try String(contentsOfFile: self.repository.absolute(path), encoding: .utf8)
            try self.repository.write(path, second.replacing("iris-v2.onnx", with: "iris-v1.onnx"))
            let martlet = try await RunningMartlet.started(self.repository.path)
            try await martlet.waitForConvergence(of: self.repository.commit("Begin with the first version"))
            // 75.0 %.
            #expect(try await Self.rightLabels(of: martlet) == 45)
            try self.repository.write(path, second)
            try await martlet.waitForConvergence(of: self.repository.commit("Take the second version"))
            // 96.7 %.
            #expect(try await Self.rightLabels(of: martlet) == 58)
        }

        @Test func everyShopHasItsRanker() async throws {
            let martlet = try await RunningMartlet.started(self.repository.path)
            try await martlet.waitForConvergence(of: self.repository.head())
            let index = try await martlet.data.post("/v2/repository/index", ["ready": true])
            #expect(index.json.array?.count == 21)
            let articles: JSONValue = [
                "name": "X", "datatype": "FP32", "shape": [2, 3], "data": [0.9, 0.8, 0.1, 0.2, 0.4, 1.0],
            ]
            var scores: Set<[JSONValue]> = []
            for shop in 1...20 {
                let name = "ranker-\(shop < 10 ? "0" : "")\(shop)"
                let answer = try await martlet.data.post("/v2/models/\(name)/infer", ["inputs": [articles]])
                #expect(answer.status == 200, "\(answer.text)")
                scores.insert(answer.json["outputs"]?.array?.first?["data"]?.array ?? [])
            }
            // Each has weights of its own.
            #expect(scores.count == 20)
            let first = try await martlet.data.post("/v2/models/ranker-01/infer", ["inputs": [articles]])
            let pair = first.json["outputs"]?.array?.first?["data"]?.array?.map { "\($0.canonicalJSON.prefix(6))" }
            #expect(pair == ["0.3335", "0.8952"])
        }

        @Test func whatTheReadmeSaysWorks() async throws {
            let martlet = try await RunningMartlet.started(self.repository.path)
            try await martlet.waitForConvergence(of: self.repository.head())
            let readme = try String(contentsOfFile: "\(Self.example)/README.md", encoding: .utf8)
            let commands = readme.matches(of: /curl http:\/\/127\.0\.0\.1:8080(\S+)(?: -d '([^']*)')?/)
            #expect(commands.count == 4)
            for command in commands {
                let answer =
                    if let body = command.2 {
                        try await martlet.data.post(String(command.1), try JSONValue(parsing: String(body)))
                    } else {
                        try await martlet.data.get(String(command.1))
                    }
                #expect(answer.status == 200, "\(command.0): \(answer.text)")
            }
        }

        @Test func theScriptWritesWhatIsCommitted() throws {
            let folder = try TemporaryFolder()
            try Tool.run(["\(Self.example)/make-tenants", "20", folder.file("tenants")])
            let written = try FileManager.default.contentsOfDirectory(atPath: folder.file("tenants")).sorted()
            #expect(written.count == 40)
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(Self.example)/tenants").sorted() == written)
            for name in written {
                let isSame = FileManager.default.contentsEqual(
                    atPath: folder.file("tenants/\(name)"),
                    andPath: "\(Self.example)/tenants/\(name)"
                )
                #expect(isSame, "\(name)")
            }
        }
    }
}
