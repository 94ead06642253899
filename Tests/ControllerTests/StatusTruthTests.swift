import Controller
import Planning
import Schema
import TestSupport
import Testing

/// What the controller says of itself is so, also where something is in its way.
@Suite(.timeLimit(.minutes(1)))
struct StatusTruthTests {
    @Test func convergenceNamesWhatIsLeftOut() async throws {
        let setup = try ControllerSetup()
        let blocked = """
            ---
            apiVersion: martlet.dev/v1
            kind: Endpoint
            metadata: {name: later}
            spec: {serve: {model: desk}, access: {anonymous: true}, rollout: {stickyBy: tenant}}

            """
        try setup.commitDesk(extra: blocked)
        try await setup.run { setup in
            let event = try await setup.event("Converged")
            #expect(event.message.hasSuffix("now; left out: Endpoint/default/later (NotAvailable)"))
            let seen = try setup.newestEvent()
            try setup.commitDesk()
            let whole = try await setup.event("Converged", after: seen)
            #expect(whole.message.hasPrefix("nothing is left to do for commit "))
        }
    }

    /// Requests come and go without waking the loop.
    @Test func requestsUnderWayAreCountedWhenAsked() async throws {
        let setup = try ControllerSetup()
        try setup.commitDesk()
        try await setup.run { setup in
            try await setup.event("Converged")
            setup.runtime.changeUnnoticed { runtime in
                for key in runtime.runners.keys { runtime.runners[key]?.inFlight = 3 }
            }
            let desk = try await setup.reconciler.resource(ControllerSetup.endpoint("desk"))
            #expect(desk.variants.map(\.inFlight) == [3])
            let list = try await setup.reconciler.resources(kind: .endpoint, namespace: nil)
            #expect(list.flatMap(\.variants).map(\.inFlight) == [3])
            #expect(try await setup.reconciler.status().endpoints.flatMap(\.variants).map(\.inFlight) == [3])
        }
    }

    @Test func shortMemoryIsToldOnce() async throws {
        let setup = try ControllerSetup(memoryBudget: 10)
        try setup.commitDesk()
        try await setup.run { setup in
            let event = try await setup.event("InsufficientMemory", "Endpoint/default/desk")
            #expect(event.severity == .warning)
            try await setup.event("Converged", "left out: Endpoint/default/desk (InsufficientMemory)")
            let seen = try setup.newestEvent()
            try setup.commitDesk(extra: "# the same\n")
            try await setup.event("Converged", after: seen)
            let told = try setup.store.events(EventQuery(limit: 1000)).filter { $0.reason == "InsufficientMemory" }
            #expect(told.count == 1)
        }
    }

    @Test func stateThatCannotBeWrittenIsShownUntilItCan() async throws {
        let setup = try ControllerSetup(waitsAreOver: true)
        try setup.commitDesk()
        try await setup.run { setup in
            try await setup.event("Converged")
            #expect(try await setup.reconciler.status().conditions.map(\.status) == [.yes])
            setup.store.refuse(with: MartletError("StateNotWritten", "the disk is full"))
            try setup.commitDesk(weights: "two")
            var condition = try await setup.reconciler.status().conditions[0]
            while condition.status == .yes {
                await Task.yield()
                condition = try await setup.reconciler.status().conditions[0]
            }
            #expect(condition.type == .stateWritable)
            #expect(condition.reason == "StateNotWritten")
            #expect(condition.message == "the disk is full")
            let seen = try setup.newestEvent()
            setup.store.refuse(with: nil)
            try await setup.event("StateWritable", "the disk is full", after: seen)
            try await setup.event("Converged", after: seen)
            #expect(try await setup.reconciler.status().conditions.map(\.status) == [.yes])
        }
    }

    @Test func verdictsThatAreNotWrittenAreNotClaimed() async throws {
        let setup = try ControllerSetup()
        try setup.store.write([.beginLoading(InstanceKey(Digest(of: "a".utf8)))])
        setup.store.refuse(with: MartletError("StateNotWritten", "the disk is full"))
        #expect(try await setup.reconciler.recover() == false)
        let second = try ControllerSetup(restarting: setup)
        second.store.refuse(with: nil)
        #expect(try await second.reconciler.recover())
    }
}
