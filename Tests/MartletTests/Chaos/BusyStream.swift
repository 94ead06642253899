internal import Foundation
internal import Planning
internal import Schema
internal import TestSupport

/// A stream of commits, rollbacks, releases, suspensions and questions, until it is told to stop or nobody answers.
struct BusyStream: Sendable {
    let martlet: RunningMartlet
    let desk: NumberDesk
    let ledger: KillLedger
    let stop: Latch
    /// Makes reasons unique: the number of the kill that ends this stream.
    let round: Int

    /// Keeps everybody busy; returns once all have noticed the end.
    func run(_ random: inout SeededRandom) async {
        let seeds = (0..<3).map { _ in random.next() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.commit(SeededRandom(seed: seeds[0])) }
            group.addTask { await self.operate(SeededRandom(seed: seeds[1])) }
            group.addTask { await self.watch(SeededRandom(seed: seeds[2])) }
        }
    }

    private func commit(_ seed: SeededRandom) async {
        var (random, count) = (seed, 0)
        while !self.stop.isOpen {
            let endpoint = random.pick(self.desk.endpoints)
            // Each round has its numbers, so that none of them is another commit's.
            let number = self.round * 25 + count % 25 + 1
            count += 1
            guard let said = try? self.desk.commit(number, for: endpoint) else { return }
            self.ledger.change(endpoint) { known in
                known.number = said
                // A hold by a person ends when the endpoint is to answer with something else.
                known.hold = .unknown
            }
            try? await ContinuousClock().sleep(for: .milliseconds(Int.random(in: 0...30, using: &random)))
        }
    }

    private func operate(_ seed: SeededRandom) async {
        var (random, count) = (seed, 0)
        while !self.stop.isOpen {
            let endpoint = random.pick(self.desk.endpoints)
            let reason = "round \(self.round), wish \(count)"
            count += 1
            let request = self.ledger.begin(reason)
            do {
                let done = try await self.ask(random.oneIn(2), random.oneIn(2), endpoint, reason)
                self.ledger.end(request, done: done)
            } catch {
                return
            }
        }
    }

    /// Suspends or resumes, rolls back or releases; says whether it was done, and throws when nobody answers.
    private func ask(_ aboutHold: Bool, _ begins: Bool, _ endpoint: String, _ reason: String) async throws -> Bool {
        let variant = VariantID(namespace: "default", endpoint: endpoint)
        let identity = ResourceIdentity(.endpoint, namespace: "default", name: endpoint)
        guard aboutHold else {
            self.ledger.change(endpoint) { $0.suspended = nil }
            let verb = begins ? "suspend" : "resume"
            let answer = try await self.martlet.admin.post(
                "/api/v1/\(verb)",
                JSONValue(encoding: SuspendBody(resource: identity, reason: reason))
            )
            // Refused, because it is so already.
            self.ledger.change(endpoint) { $0.suspended = begins }
            return answer.status == 204
        }
        self.ledger.change(endpoint) { $0.hold = .unknown }
        guard begins else {
            let answer = try await self.martlet.admin.post(
                "/api/v1/release",
                JSONValue(encoding: VariantBody(variant: variant, reason: reason))
            )
            self.ledger.change(endpoint) { $0.hold = .none }
            return answer.status == 204
        }
        let answer = try await self.martlet.admin.post(
            "/api/v1/rollback",
            JSONValue(encoding: RollbackBody(variant: variant, reason: reason))
        )
        guard answer.status == 200 else { return false }
        let hold = try JSONDecoder().decode(Hold.self, from: Data(answer.body))
        self.ledger.change(endpoint) { $0.hold = .held(hold) }
        return true
    }

    /// Reads the events, and asks the endpoints: whatever happens to them, each goes on answering.
    private func watch(_ seed: SeededRandom) async {
        var random = seed
        while !self.stop.isOpen {
            guard let events = try? await self.martlet.events(after: self.ledger.now.lastEvent) else { return }
            self.ledger.saw(events)
            let endpoint = random.pick(self.desk.endpoints)
            guard let answer = try? await self.martlet.data.chat(endpoint, NumberDesk.question) else { return }
            if answer.status != 200 {
                self.ledger.change(endpoint) { $0.refusals.append("\(answer.status): \(answer.text)") }
            }
        }
    }
}

extension JSONValue {
    /// A body as the admin API takes it.
    init(encoding body: some Encodable) throws {
        self = try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(body))
    }
}
