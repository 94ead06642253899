internal import Foundation
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// Examples/assistant: what a chain looks up, an agent, and what their records tell.
    struct AssistantTests {
        private let repository: TemporaryRepository

        init() throws {
            self.repository = try TemporaryRepository(ofExample: "assistant")
        }

        private func started() async throws -> RunningMartlet {
            let martlet = try await RunningMartlet.started(self.repository.path)
            try await martlet.waitForConvergence(of: self.repository.head())
            return martlet
        }

        @Test func answersFromPoliciesAndOrders() async throws {
            let martlet = try await self.started()
            let question: JSONValue = ["message": "How long can I return my sofa?", "order": "A-1001"]
            let answer = try await martlet.data.post("/v1/chains/assistant", question)
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.json["order"] == ["status": "delivered", "product": "Norrel sofa"])
            let sources = answer.json["sources"]?.array ?? []
            #expect(sources.count == 1)
            #expect(sources.first?["document"] == "policies/returns.md")
            #expect(answer.json["reply"]?.string?.hasSuffix("The return window is 30 days.") == true, "\(answer.text)")

            // The span is where the document says it.
            guard case .integer(let start)? = sources.first?["start"], case .integer(let end)? = sources.first?["end"]
            else { return #expect(Bool(false), "no span") }
            let document = try Data(contentsOf: URL(filePath: self.repository.absolute("policies/returns.md")))
            let said = String(decoding: document[Int(start)..<Int(end)], as: UTF8.self)
            #expect(said == sources.first?["text"]?.string)

            let complaint: JSONValue = ["message": "What a terrible service. Screws are missing from our bar stool."]
            let routed = try await martlet.data.post("/v1/chains/assistant", complaint)
            #expect(routed.json["intent"] == "complaint")
            #expect(routed.json["desk"] == "complaints")
            #expect(await martlet.stop() == .exited(0), "\(martlet.log)")
        }

        @Test func agentLooksUpWhatItSays() async throws {
            let martlet = try await self.started()
            let question = "Where is my order A-1001, and can I still return it?"
            let answer = try await martlet.data.post("/v1/chains/concierge", ["message": .string(question)])
            #expect(answer.status == 200, "\(answer.text)")
            let said =
                "Your Norrel sofa was delivered 12 days ago. The return window is 30 days, so that you can still return it."
            #expect(answer.json.string == said)
            let id = try #require(answer.headers["x-request-id"])
            let trace = try await martlet.verb("trace", id)
            for words in ["help (agent)", "turn-1 (model)", "order (features)", "policy (retrieve)", "turn-3 (model)"] {
                #expect(trace.output.contains(words), "\(trace.output)")
            }
            let replay = try await martlet.verb("replay", id)
            #expect(replay.code == 0, "\(replay.output)\(replay.complaint)")
            #expect(replay.output.contains("the same output"), "\(replay.output)")
            let elsewhere = try await martlet.verb("replay", id, "--revision", "0123456789")
            #expect(elsewhere.code == 2 && elsewhere.complaint.contains("0123456789"), "\(elsewhere.complaint)")
            let unknown = try await martlet.data.post("/v1/chains/concierge", ["message": "Where is order A-9999?"])
            #expect(unknown.json.string?.hasPrefix("I cannot find that order") == true, "\(unknown.text)")
            #expect(try await martlet.ask("concierge", question) == said)
            // What answers now is another revision, which says something else.
            let recording = self.repository.absolute("models/concierge.jsonl")
            let text = try String(contentsOfFile: recording, encoding: .utf8)
            try self.repository.write("models/concierge.jsonl", text.replacing("Your Norrel sofa", with: "Your sofa"))
            try await martlet.waitForConvergence(of: self.repository.commit("Say it shorter"))
            let changed = try await martlet.verb("replay", id)
            #expect(changed.code == 1, "\(changed.complaint)")
            #expect(changed.output.contains("- \"Your Norrel sofa was"), "\(changed.output)")
            #expect(changed.output.contains("+ \"Your sofa was"), "\(changed.output)")
            #expect(await martlet.stop() == .exited(0), "\(martlet.log)")
        }

        @Test(arguments: [
            ("policies/returns.md", "30 days", "31 days", ["assistant", "concierge"]),
            ("data/orders.jsonl", "on its way", "delivered", ["assistant", "concierge"]),
            ("prompts/prompts.yaml", "Look things up before", "Look everything up before", ["concierge"]),
        ])
        func oneWordRollsWhatReachesIt(path: String, old: String, new: String, changed: [String]) async throws {
            let martlet = try await self.started()
            let names = ["assistant", "concierge"]
            var before: [String: String] = [:]
            for name in names { before[name] = try await martlet.revision(name) }
            let base = try self.repository.head()
            let text = try String(contentsOfFile: self.repository.absolute(path), encoding: .utf8)
            try self.repository.write(path, text.replacing(old, with: new))
            let commit = try self.repository.commit("Change a word")
            let plan = try await martlet.verb("plan", "--base", base, "--head", commit)
            #expect(plan.output.contains(path), "\(plan.output)")
            for name in changed { #expect(plan.output.contains("by way of Chain/default/\(name)"), "\(plan.output)") }
            try await martlet.waitForConvergence(of: commit)
            for name in names {
                let moved = try await martlet.revision(name) != before[name]
                #expect(moved == changed.contains(name), "\(name)")
                #expect(plan.output.contains("default/\(name)   ") == changed.contains(name), "\(plan.output)")
            }
            #expect(await martlet.stop() == .exited(0), "\(martlet.log)")
        }
    }
}
