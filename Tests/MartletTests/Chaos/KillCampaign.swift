internal import Foundation
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

/// Kills a busy controller at random moments, and looks at what its successor makes of it.
struct KillCampaign {
    private let desk: NumberDesk
    private let martlet: RunningMartlet
    private let ledger: KillLedger
    private var random: SeededRandom

    /// Starts a controller that serves four endpoints.
    init(seed: UInt64) async throws {
        self.desk = try NumberDesk(endpoints: 4)
        self.martlet = try await RunningMartlet.started(self.desk.repository.path)
        self.ledger = KillLedger(endpoints: self.desk.endpoints)
        self.random = SeededRandom(seed: seed)
        try await self.martlet.waitForConvergence(of: self.desk.repository.head())
        try await self.look(round: 0)
    }

    /// One kill, in a busy moment or in a start, and the look at the successor.
    mutating func kill(round: Int) async throws {
        if self.random.oneIn(4) {
            try await self.killAtStart(round: round)
        } else {
            try await self.killAtWork(round: round)
        }
        await self.martlet.program?.finished()
        try #require(self.martlet.program?.end == .signalled(SIGKILL), "\(self.martlet.log.suffix(2000))")
        try await self.martlet.start()
        try await self.martlet.waitForConvergence(of: self.desk.repository.head())
        try await self.look(round: round)
    }

    private mutating func killAtWork(round: Int) async throws {
        let delay = Int.random(in: 0...150, using: &self.random)
        let stop = Latch()
        let stream = BusyStream(martlet: self.martlet, desk: self.desk, ledger: self.ledger, stop: stop, round: round)
        let martlet = self.martlet
        async let death: Void = {
            try await ContinuousClock().sleep(for: .milliseconds(delay))
            martlet.program?.signal(SIGKILL)
            stop.open()
        }()
        await stream.run(&self.random)
        try await death
    }

    /// Stops the process, commits, and kills the next one somewhere between its first instruction and its first answer.
    private mutating func killAtStart(round: Int) async throws {
        let endpoint = self.random.pick(self.desk.endpoints)
        await self.martlet.stop()
        let said = try self.desk.commit(round * 25, for: endpoint)
        self.ledger.change(endpoint) { known in
            known.number = said
            known.hold = .unknown
        }
        try self.martlet.launch()
        try await ContinuousClock().sleep(for: .milliseconds(Int.random(in: 0...300, using: &self.random)))
        self.martlet.program?.signal(SIGKILL)
    }

    // MARK: The look

    private func look(round: Int) async throws {
        let before = self.ledger.now
        let events = try await self.martlet.events(after: before.lastEvent)
        let numbers = events.indices.map { before.lastEvent + 1 + Int64($0) }
        #expect(events.map(\.sequence) == numbers, "round \(round): an event is lost or doubled")
        #expect(Array(events.prefix(before.events.count)) == before.events, "round \(round): an event has changed")
        try await self.lookAtRequests(before.requests, events, round: round)
        for endpoint in self.desk.endpoints {
            try await self.look(at: endpoint, before.endpoints[endpoint] ?? KillLedger.Known(), events, round: round)
        }
        self.ledger.settle(lastEvent: events.last?.sequence ?? before.lastEvent)
    }

    /// What was answered was done and is on record, once; what was not answered, once or not at all.
    private func lookAtRequests(_ requests: [KillLedger.Request], _ events: [Event], round: Int) async throws {
        let chain = try await self.martlet.audit()
        #expect(chain.brokenAt == nil, "round \(round): \(chain.message)")
        let entries = try await self.martlet.auditEntries()
        for request in requests {
            let told = events.count { $0.reason == "Operator" && $0.message.hasSuffix(": \(request.reason)") }
            let audited = entries.count { $0.reason == request.reason }
            #expect(told == audited, "\(request.reason): \(told) events, \(audited) audit entries")
            if let done = request.done {
                #expect(audited == (done ? 1 : 0), "\(request.reason): \(audited) audit entries")
            } else {
                #expect(audited <= 1, "\(request.reason): \(audited) audit entries")
            }
        }
    }

    private func look(at endpoint: String, _ known: KillLedger.Known, _ events: [Event], round: Int) async throws {
        let resource = try await self.martlet.resource(.endpoint, endpoint)
        let variant = try #require(resource.variants.first)
        let comment: Comment = "round \(round), \(endpoint): known was \(known); now it is \(variant)"
        #expect(known.refusals.isEmpty, comment)
        if let suspended = known.suspended { #expect(resource.suspended == suspended, comment) }
        switch known.hold {
        case .unknown: break
        case .none: #expect(variant.hold == nil, comment)
        case .held(let hold) where hold.revision == variant.desired: #expect(variant.hold == hold, comment)
        case .held: #expect(variant.hold == nil, comment)
        }

        let promoted = try #require(variant.promoted, comment)
        #expect(variant.serving == [TrafficShare(revision: promoted, weight: 100)], comment)
        let answer = try await self.martlet.data.chat(endpoint, NumberDesk.question)
        let said = try #require(answer.content, "\(comment) answers \(answer.text)")
        #expect(answer.revision == promoted.description, comment)
        #expect(said == known.numbersByRevision[promoted] ?? said, "\(comment) says \(said)")
        if !resource.suspended, let hold = variant.hold {
            #expect(promoted == hold.target, comment)
        } else if !resource.suspended {
            #expect(promoted == variant.desired, comment)
            #expect(said == known.number, "\(comment) says \(said)")
        }

        let told = events.filter { $0.reason == "Promoted" && $0.variant == variant.variant }.compactMap(\.revision)
        let recorded = try await self.martlet.promotions(of: variant.variant, newest: told.count + 1)
        #expect(recorded.last == promoted, comment)
        #expect(Array(recorded.suffix(told.count)) == told, comment)

        self.ledger.change(endpoint) { next in
            next.numbersByRevision[promoted] = said
            next.suspended = resource.suspended
            next.hold = variant.hold.map { .held($0) } ?? .none
        }
    }
}
