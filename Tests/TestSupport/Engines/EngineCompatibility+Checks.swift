internal import Foundation
internal import Planning
internal import Schema
internal import Synchronization

extension EngineCompatibility {
    /// How many tokens the checks generate.
    private static let steps = 6

    func loadsTwice() throws {
        let (first, second) = (try self.openModel(), try self.openModel())
        defer { second.close() }
        let segment = TextSegment(self.prompts.0, parseSpecial: true)
        let tokens = try first.tokenize([segment])
        try self.require(try second.tokenize([segment]) == tokens, "two loads of one file tokenize differently")
        first.close()
        try self.require(try second.tokenize([segment]) == tokens, "closing one load disturbed the other")
    }

    func unloadGivesMemoryBack() throws {
        // The first cycle pays for what a library keeps for good.
        try self.withSession { _, session in session.removeTokens(ofSequence: 0, from: 0, to: nil) }
        let before = self.memoryInUse()
        var cost: Int64 = 0
        for _ in 0..<8 {
            cost = try self.withSession { model, _ in model.description.weightBytes + model.description.sessionBytes }
        }
        let growth = self.memoryInUse() - before
        try self.require(cost > 0, "the model says that it takes no memory")
        try self.require(growth < cost, "eight loads left \(growth) bytes behind; one load takes \(cost)")
    }

    func wrongFileIsAnError() throws {
        var opening = self.opening
        opening.file = self.wrongFile
        try self.requireError(["ModelUnreadable"], "a wrong file") { _ = try self.engine.open(opening) }
    }

    func unknownOptionIsAnError() throws {
        let options: [String: JSONValue] = ["no-such-option": 1]
        let problems = self.engine.problems(inOptions: options)
        try self.require(problems.map(\.option) == ["no-such-option"], "an unknown option is not named: \(problems)")
        var opening = self.opening
        opening.options = options
        try self.requireError(["InvalidOption"], "an unknown option") { _ = try self.engine.open(opening) }
    }

    func parseSpecialIsHonoured() throws {
        let model = try self.openModel()
        defer { model.close() }
        let special = try model.tokenize([TextSegment(self.specialToken, parseSpecial: true)])
        try self.require(special.count == 1, "'\(self.specialToken)' is \(special.count) tokens where it is special")
        try self.require(special.allSatisfy { model.bytes(of: $0).isEmpty }, "a special token has bytes")
        let forged = "a\(self.specialToken)b"
        let plain = try model.tokenize([
            TextSegment(self.specialToken, parseSpecial: true), TextSegment(forged, parseSpecial: false),
        ])
        try self.require(plain.filter { $0 == special[0] }.count == 1, "a typed special token became a real one")
        let spelt = String(decoding: plain.flatMap(model.bytes), as: UTF8.self)
        try self.require(spelt.hasSuffix(forged), "the tokens of '\(forged)' spell '\(spelt)'")
    }

    /// Aborting is fast on every machine; one slow attempt on a busy one proves nothing, so the best of five counts.
    func abortEndsDecoding() throws {
        let best = try (0..<5).map { _ in try self.timeToAbort() }.min() ?? .zero
        try self.require(best < .milliseconds(50), "aborting took \(best)")
    }

    private func timeToAbort() throws -> Duration {
        try self.withSession { model, session in
            let tokens = try model.tokenize([TextSegment(self.prompts.0, parseSpecial: true)])
            let outcome = Mutex<(error: (any Error)?, end: ContinuousClock.Instant?)>((nil, nil))
            let (started, ended) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            Thread.detachNewThread {
                do {
                    while true {
                        started.signal()
                        session.removeTokens(ofSequence: 0, from: 0, to: nil)
                        try session.decode(GreedySequence(session, prompt: tokens).entries)
                    }
                } catch {
                    outcome.withLock { $0 = (error, ContinuousClock.now) }
                    ended.signal()
                }
            }
            started.wait()
            let asked = ContinuousClock.now
            session.abort()
            ended.wait()
            let (error, end) = outcome.withLock { $0 }
            try self.requireError(["Aborted"], "an aborted decode") { if let error { throw error } }
            try self.requireError(["Aborted"], "a decode after an abort") {
                try session.decode(GreedySequence(session, prompt: tokens).entries)
            }
            return end.map { $0 - asked } ?? .zero
        }
    }

    func sessionsDoNotDisturbEachOther() throws {
        let expected = try self.answers()
        let model = try self.openModel()
        defer { model.close() }
        let sessions = (try model.makeSession(), try model.makeSession())
        defer {
            sessions.0.close()
            sessions.1.close()
        }
        var first = GreedySequence(sessions.0, prompt: try self.tokens(of: self.prompts.0, model))
        var second = GreedySequence(sessions.1, prompt: try self.tokens(of: self.prompts.1, model))
        for _ in 0..<Self.steps {
            _ = try first.run(1)
            _ = try second.run(1)
        }
        try self.require(first.generated == expected.0, "another session changed the first one's answer")
        try self.require(second.generated == expected.1, "another session changed the second one's answer")
    }

    func sequencesAreIsolated() throws {
        let expected = try self.answers()
        try self.withSession { model, session in
            var first = GreedySequence(session, sequence: 0, prompt: try self.tokens(of: self.prompts.0, model))
            var second = GreedySequence(session, sequence: 1, prompt: try self.tokens(of: self.prompts.1, model))
            for _ in 0..<Self.steps {
                let entries = (first.entries, second.entries)
                try session.decode(entries.0 + entries.1)
                try first.advance(samplingAt: entries.0.count - 1)
                try second.advance(samplingAt: entries.0.count + entries.1.count - 1)
            }
            try self.require(first.generated == expected.0, "a neighbour in the batch changed sequence 0")
            try self.require(second.generated == expected.1, "a neighbour in the batch changed sequence 1")
        }
    }

    func removedTokensAreForgotten() throws {
        let expected = try self.answers()
        try self.withSession { model, session in
            var other = GreedySequence(session, prompt: try self.tokens(of: self.prompts.1, model))
            _ = try other.run(Self.steps)
            session.removeTokens(ofSequence: 0, from: 0, to: nil)
            var first = GreedySequence(session, prompt: try self.tokens(of: self.prompts.0, model))
            try self.require(try first.run(Self.steps) == expected.0, "what was removed still has an effect")

            let tokens = try self.tokens(of: self.prompts.0, model)
            let kept = Int32(tokens.count - 1)
            session.removeTokens(ofSequence: 0, from: kept, to: nil)
            var again = GreedySequence(session, prompt: tokens.suffix(1), position: kept)
            try self.require(try again.run(Self.steps) == expected.0, "a kept prefix gives another answer")
        }
    }

    func copiedTokensAreShared() throws {
        let expected = try self.answers()
        try self.withSession { model, session in
            let tokens = try self.tokens(of: self.prompts.0, model)
            let shared = Int32(tokens.count - 1)
            var other = GreedySequence(session, sequence: 1, prompt: try self.tokens(of: self.prompts.1, model))
            _ = try other.run(2)
            var original = GreedySequence(session, sequence: 0, prompt: tokens)
            _ = try original.run(2)
            session.copyTokens(fromSequence: 0, toSequence: 1, length: shared)
            var copy = GreedySequence(session, sequence: 1, prompt: tokens.suffix(1), position: shared)
            try self.require(try copy.run(Self.steps) == expected.0, "a copied prefix gives another answer")
            session.removeTokens(ofSequence: 1, from: 0, to: nil)
            try self.require(
                try original.run(Self.steps - 2) == expected.0,
                "removing a copy changed the original"
            )
        }
    }

    func closedModelRefuses() throws {
        let model = try self.openModel()
        model.close()
        model.close()
        try self.requireError(["ModelClosed"], "a closed model") { _ = try model.makeSession() }
        try self.requireError(["ModelClosed"], "a closed model") {
            _ = try model.tokenize([TextSegment("a", parseSpecial: false)])
        }
    }

    func badBatchIsAnError() throws {
        try self.withSession { model, session in
            let tokens = try self.tokens(of: self.prompts.0, model)
            func entry(_ token: Token, _ position: Int, _ sequence: Int) -> BatchEntry {
                BatchEntry(token: token, position: Int32(position), sequence: Int32(sequence), wantsLogits: true)
            }
            let bad: [(String, [BatchEntry])] = [
                ("no entries", []),
                ("too many entries", Array(repeating: entry(tokens[0], 0, 0), count: session.batchLimit + 1)),
                ("an unknown token", [entry(Token(model.description.vocabularySize), 0, 0)]),
                ("a negative token", [entry(-1, 0, 0)]),
                ("an unknown slot", [entry(tokens[0], 0, model.description.slots)]),
                ("a position beyond the context", [entry(tokens[0], model.description.contextLength, 0)]),
                ("a gap", [entry(tokens[0], 3, 0)]),
            ]
            for (what, batch) in bad {
                try self.requireError(["DecodeFailed"], "a batch with \(what)") { try session.decode(batch) }
            }
            var good = GreedySequence(session, prompt: tokens)
            try self.require(try good.run(1).count == 1, "a refused batch spoilt the session")
            try self.requireError(["DecodeFailed"], "logits that nobody asked for") {
                _ = try session.logProbabilities(at: session.batchLimit, of: tokens[0], top: 1)
            }
        }
    }

    func unknownAdapterIsAnError() throws {
        try self.withSession { _, session in
            try self.requireError(["UnknownAdapter"], "an unknown adapter") {
                try session.setAdapters(["no-such-adapter"])
            }
            try session.setAdapters([])
        }
    }

    func logProbabilitiesAreOrdered() throws {
        try self.withSession { model, session in
            let tokens = try self.tokens(of: self.prompts.0, model)
            try session.decode(GreedySequence(session, prompt: tokens).entries)
            var greedy = SamplingParameters()
            greedy.temperature = 0
            let chosen = try session.makeSampler(greedy).sample(at: tokens.count - 1)
            let (own, top) = try session.logProbabilities(at: tokens.count - 1, of: chosen, top: 3)
            let values = top.map(\.logProbability)
            try self.require(top.count == 3, "\(top.count) alternatives where 3 were asked for")
            try self.require(values == values.sorted(by: >), "the alternatives are not likeliest first: \(values)")
            try self.require(values.allSatisfy { $0 <= 0 }, "a log-probability is above 0: \(values)")
            try self.require(top.first == own, "the greedy choice \(own) is not the likeliest token \(top)")
        }
    }

    private func tokens(of text: String, _ model: any LanguageModel) throws -> [Token] {
        try model.tokenize([TextSegment(text, parseSpecial: true)])
    }

    /// The answers to both prompts, each from a session of its own.
    private func answers() throws -> ([Token], [Token]) {
        func answer(_ prompt: String) throws -> [Token] {
            try self.withSession { model, session in
                var sequence = GreedySequence(session, prompt: try self.tokens(of: prompt, model))
                return try sequence.run(Self.steps)
            }
        }
        let answers = (try answer(self.prompts.0), try answer(self.prompts.1))
        try self.require(answers.0 != answers.1, "both prompts have the same answer, which proves nothing")
        return answers
    }
}
