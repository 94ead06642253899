internal import Foundation
internal import Planning
internal import Schema

extension RunningMartlet {
    /// `martlet status`, as the admin API gives it.
    func status() async throws -> StatusView { try await self.read("status") }

    /// What is to be done, as of the last pass of the loop.
    func plan() async throws -> Plan { try await self.read("plan") }

    /// Every event, oldest first.
    func events() async throws -> [Event] { try await self.read("events?limit=10000") }

    /// The events with larger sequence numbers, oldest first.
    func events(after sequence: Int64) async throws -> [Event] {
        try await self.read("events?limit=10000&after=\(sequence)")
    }

    /// The newest lines of the audit log, newest first.
    func auditEntries() async throws -> [AuditEntry] { try await self.read("audit?limit=1000") }

    /// The revisions that were promoted last, oldest first.
    func promotions(of variant: VariantID, newest count: Int) async throws -> [Revision] {
        let history: HistoryView = try await self.read("history?variant=\(variant)&limit=\(count)")
        return history.promotions.reversed().map(\.revision)
    }

    /// Every hold.
    func holds() async throws -> [Hold] { try await self.read("holds") }

    /// Every promotion and every commit that was read, newest first.
    func history() async throws -> HistoryView { try await self.read("history?limit=10000") }

    /// What the check of the audit log says.
    func audit() async throws -> AuditVerification { try await self.read("audit/verify") }

    /// One resource.
    func resource(_ kind: Kind, _ name: String) async throws -> ResourceView {
        try await self.read("resources/\(kind.rawValue)/default/\(name)")
    }

    /// The default variant of an endpoint.
    func variant(_ endpoint: String) async throws -> VariantView? {
        try await self.resource(.endpoint, endpoint).variants.first { $0.variant.tenant == nil }
    }

    /// The digits of the revision of an endpoint that answers now; nil when none does.
    func revision(_ endpoint: String) async throws -> String? {
        let answer = try await self.data.get("/v1/models/\(endpoint)")
        return answer.status == 200 ? answer.revision : nil
    }

    /// What an endpoint answers to a message; throws when it does not answer.
    func ask(_ endpoint: String, _ message: String) async throws -> String {
        let answer = try await self.data.chat(endpoint, message)
        guard let content = answer.content else {
            throw MartletError("NoAnswer", "status \(answer.status): \(answer.text)")
        }
        return content
    }

    /// Waits until an endpoint answers with a revision other than `earlier`, and returns the new one.
    @discardableResult
    func waitForRevision(_ endpoint: String, after earlier: String? = nil) async throws -> String {
        try await self.wait(for: "'\(endpoint)' to answer with a revision after \(earlier ?? "none")") {
            let revision = try await self.revision(endpoint)
            return revision == earlier ? nil : revision
        }
    }

    /// Waits until this process has nothing left to do for a commit.
    func waitForConvergence(of commit: ObjectID) async throws {
        try await self.wait(for: "commit \(commit.prefix(10)) to be done") {
            let plan = try await self.plan()
            return plan.commit == commit && plan.steps.isEmpty
        }
    }

    /// Waits for the hold of an endpoint's revision that a commit asks for.
    func waitForHold(_ endpoint: String, of commit: ObjectID) async throws -> Hold {
        try await self.wait(for: "'\(endpoint)' to be held at commit \(commit.prefix(10))") {
            try await self.holds().first { $0.variant.endpoint == endpoint && $0.commit == commit }
        }
    }

    /// Waits for an event and returns it.
    @discardableResult
    func waitForEvent(_ reason: String, saying words: String = "") async throws -> Event {
        try await self.wait(for: "an event \(reason) that says '\(words)'") {
            try await self.events().first {
                $0.reason == reason && (words.isEmpty || $0.message.contains(words))
            }
        }
    }

    private func read<Answer: Decodable>(_ path: String) async throws -> Answer {
        let answer = try await self.admin.get("/api/v1/\(path)")
        guard answer.status == 200 else { throw MartletError("AdminRefused", "\(path): \(answer.text)") }
        return try JSONDecoder().decode(Answer.self, from: Data(answer.body))
    }
}
