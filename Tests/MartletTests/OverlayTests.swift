internal import Foundation
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// Staging and production from one base, on a copy of Examples/desk-stages.
    struct OverlayTests {
        private let repository: TemporaryRepository

        init() throws {
            self.repository = try TemporaryRepository()
            let example = "\(Executable.repository)Examples/desk-stages"
            for name in try FileManager.default.contentsOfDirectory(atPath: example) {
                try FileManager.default.copyItem(atPath: "\(example)/\(name)", toPath: self.repository.absolute(name))
            }
            // Production has a recording of its own, so that the stages answer differently.
            try self.repository.write("production/answers.jsonl", #"{"output": "Ask us.", "default": true}"# + "\n")
            try self.append(
                """
                    - target: {kind: Model, name: recorded}
                      patch: {spec: {source: {uri: production/answers.jsonl}}}

                """,
                to: "production/overlay.yaml"
            )
            try self.repository.commit("Serve both stages")
        }

        private func text(_ path: String) throws -> String {
            try String(contentsOfFile: self.repository.absolute(path), encoding: .utf8)
        }

        private func append(_ text: String, to path: String) throws {
            try self.repository.write(path, try self.text(path) + text)
        }

        private func edit(_ path: String, _ old: String, _ new: String) throws {
            let text = try self.text(path)
            try #require(text.contains(old), "\(path) says '\(old)'")
            try self.repository.write(path, text.replacing(old, with: new))
        }

        /// Waits until a stage answers a message like this, and returns the commit that answers.
        private static func answer(
            of stage: String,
            to message: String = "How long?",
            _ words: String?,
            from martlet: RunningMartlet
        ) async throws -> String? {
            try await martlet.wait(for: "\(stage) to answer '\(words ?? "with an error")'") {
                let answer = try await martlet.data.chat("\(stage)/desk", message)
                return answer.content == words ? .some(answer.headers["x-martlet-commit"]) : nil
            }
        }

        @Test func stagesShareABaseAndABrokenPatchHoldsUpOneOfThem() async throws {
            let martlet = try await RunningMartlet.started(self.repository.path)
            let first = try self.repository.head()
            for (stage, words) in [("staging", "The return window is 30 days."), ("production", "Ask us.")] {
                #expect(try await Self.answer(of: stage, words, from: martlet) == first)
            }
            let resource = try await martlet.verb("get", "endpoints", "-n", "production")
            #expect(resource.output.contains("desk"), "\(resource.complaint)")

            // The base takes short messages only from now on: so do both.
            try self.edit("base/desk.yaml", "maxLength: 1200", "maxLength: 20")
            let second = try self.repository.commit("Short messages")
            let long = "How long may I keep it before I return it?"
            for (stage, words) in [("staging", "The return window is 30 days."), ("production", "Ask us.")] {
                _ = try await Self.answer(of: stage, to: long, nil, from: martlet)
                #expect(try await Self.answer(of: stage, words, from: martlet) == second)
            }

            // A slip in one stage's patch is shown where it stands, and only that stage keeps what it had.
            try self.edit("production/overlay.yaml", "{min: 2, max: 2}", "{min: two, max: 2}")
            try self.edit("base/answers.jsonl", "30 days", "60 days")
            try self.edit("production/answers.jsonl", "Ask us.", "Ask them.")
            let third = try self.repository.commit("A slip")
            #expect(try await Self.answer(of: "staging", "The return window is 60 days.", from: martlet) == third)
            let lines = try self.text("production/overlay.yaml").split(separator: "\n")
            let line = try #require(lines.firstIndex { $0.contains("min: two") }) + 1
            let column = try #require(lines[line - 1].firstRange(of: "two")).lowerBound
            let place = "production/overlay.yaml:\(line):\(lines[line - 1][..<column].count + 1)"
            let status = try await martlet.status()
            let diagnostic = try #require(status.diagnostics.first { $0.severity == .error })
            #expect(diagnostic.description.hasPrefix("\(place): error: "), "\(diagnostic)")
            let shown = try await martlet.verb("status")
            #expect(shown.output.contains(place), "\(shown.output)")
            _ = try await Self.answer(of: "production", "Ask us.", from: martlet)
            let checked = try await martlet.verb("validate", self.repository.path)
            #expect(checked.code == 2 && checked.complaint.contains(place), "\(checked.complaint)")

            // It serves so after a crash as well, and goes on once the patch is mended.
            await martlet.kill()
            try await martlet.start()
            _ = try await Self.answer(of: "production", "Ask us.", from: martlet)
            try self.edit("production/overlay.yaml", "{min: two, max: 2}", "{min: 2, max: 2}")
            let fourth = try self.repository.commit("Mend it")
            #expect(try await Self.answer(of: "production", "Ask them.", from: martlet) == fourth)
            #expect(try await martlet.status().diagnostics.isEmpty)
        }
    }
}
