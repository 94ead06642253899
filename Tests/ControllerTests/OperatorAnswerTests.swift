import Controller
import Planning
import Schema
import TestSupport
import Testing

/// What people are told who ask for something that is not there, or that would change nothing.
@Suite(.timeLimit(.minutes(1)))
struct OperatorAnswerTests {
    @Test func retryOfWhatIsWellIsRefusedAndWritesNothing() async throws {
        let setup = try ControllerSetup()
        try setup.commitDesk()
        try await setup.run { setup in
            try await setup.event("Converged")
            let entries = try setup.store.audit(limit: 100).count
            let error = await #expect(throws: MartletError.self) {
                try await setup.reconciler.retry(ControllerSetup.desk, ControllerSetup.someone)
            }
            #expect(error?.code == "Conflict")
            #expect(error?.message.contains("nothing to try again") == true)
            #expect(try setup.store.audit(limit: 100).count == entries)

            let held = try await setup.reconciler.rollbackAfterAnotherCommit(setup)
            try await setup.reconciler.retry(held, ControllerSetup.someone)
            #expect(try await setup.reconciler.holds().isEmpty)
        }
    }

    @Test func historyAndEventsOfWhatWasNeverThereAreNotFound() async throws {
        let setup = try ControllerSetup()
        try setup.commitDesk()
        try await setup.run { setup in
            try await setup.event("Converged")
            let nope = VariantID(namespace: "default", endpoint: "nope")
            let other = VariantID(namespace: "default", endpoint: "desk", tenant: "x")
            for variant in [nope, other] {
                let error = await #expect(throws: MartletError.self) {
                    _ = try await setup.reconciler.history(of: variant, limit: 10)
                }
                #expect(error?.code == "NotFound")
            }
            let error = await #expect(throws: MartletError.self) {
                _ = try await setup.reconciler.events(EventQuery(resource: nope.resource))
            }
            #expect(error?.message.contains("no Endpoint/default/nope") == true)
            #expect(try await setup.reconciler.history(of: ControllerSetup.desk, limit: 10).promotions.count == 1)
            let late = EventQuery(after: 1_000_000, resource: ControllerSetup.desk.resource)
            #expect(try await setup.reconciler.events(late).isEmpty)
        }
    }

    /// Whoever misspells an endpoint hears which there are, whatever was to be done with it.
    @Test func whatWasNeverThereIsNamedBesideWhatIs() async throws {
        let setup = try ControllerSetup()
        try setup.commitDesk()
        try await setup.run { setup in
            try await setup.event("Converged")
            let nope = VariantID(namespace: "default", endpoint: "nope")
            let words = "no Endpoint/default/nope in the commit or running; of that kind there are default/desk"
            let rollback = await #expect(throws: MartletError.self) {
                try await setup.reconciler.rollback(nope, to: nil, ControllerSetup.someone)
            }
            #expect(rollback?.message == words)
            let suspend = await #expect(throws: MartletError.self) {
                try await setup.reconciler.suspend(.resource(nope.resource), ControllerSetup.someone)
            }
            #expect(suspend?.message == words)
            let resume = await #expect(throws: MartletError.self) {
                try await setup.reconciler.resume(.everything, ControllerSetup.someone)
            }
            #expect(resume?.message == "not everything is suspended: there is nothing to resume")
        }
    }

    @Test(arguments: [
        (Suspension.everything, "everything is suspended; 'martlet resume --all' goes on"),
        (
            .resource(ControllerSetup.desk.resource),
            "Endpoint/default/desk is suspended; 'martlet resume Endpoint/default/desk' goes on"
        ),
    ])
    func whatIsSuspendedNamesTheCommandThatResumesIt(_ suspension: Suspension, _ words: String) async throws {
        let setup = try ControllerSetup()
        try setup.commitDesk()
        try await setup.run { setup in
            try await setup.event("Converged")
            try await setup.reconciler.suspend(suspension, ControllerSetup.someone)
            var waits: [PlanWait] = []
            while waits.isEmpty { waits = try await setup.reconciler.status().waits }
            #expect(waits.map(\.reason) == [words])
        }
    }
}

extension Reconciler {
    /// Lets another revision come and goes back from it, so that it is held.
    fileprivate func rollbackAfterAnotherCommit(_ setup: ControllerSetup) async throws -> VariantID {
        let seen = try setup.newestEvent()
        try setup.commitDesk(weights: "two")
        try await setup.event("Promoted", after: seen)
        _ = try await self.rollback(ControllerSetup.desk, to: nil, ControllerSetup.someone)
        return ControllerSetup.desk
    }
}
