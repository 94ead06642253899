import Planning
import Schema
import Testing

@Suite("Rollout")
struct RolloutTests {
    private static let now = Timestamp(milliseconds: 7)

    private func rollout(_ phase: Rollout.Phase = .preparing) -> Rollout {
        Rollout(
            revision: Revision(Digest(of: [1])),
            strategy: .immediate,
            phase: phase,
            startedAt: Timestamp(milliseconds: 1)
        )
    }

    @Test("An immediate rollout prepares, shifts everything, promotes and ends")
    func immediate() {
        var rollout = self.rollout()
        #expect(rollout.receive(.resumed, at: Self.now) == [.prepare])
        #expect(rollout.phase == .preparing)
        #expect(rollout.receive(.prepared, at: Self.now) == [.shift(100)])
        #expect(rollout.phase == .shifting)
        #expect(rollout.receive(.shifted(100), at: Self.now) == [.promote])
        #expect(rollout.phase == .complete)
        #expect(rollout.receive(.promoted, at: Self.now) == [])
        #expect(rollout.startedAt == Timestamp(milliseconds: 1))
    }

    static let phases: [(Rollout.Phase, Rollout.Event, [Rollout.Action], Rollout.Phase)] = [
        (.shifting, .resumed, [.prepare], .shifting),
        (.complete, .resumed, [.prepare], .complete),
        (.shifting, .prepared, [.shift(100)], .shifting),
        (.complete, .prepared, [.promote], .complete),
        (.shifting, .shifted(40), [.shift(100)], .shifting),
        (.preparing, .failed, [.abandon], .failed),
        (.shifting, .failed, [.abandon], .failed),
        (.failed, .failed, [], .failed),
        (.failed, .resumed, [], .failed),
        (.failed, .prepared, [], .failed),
        (.failed, .shifted(100), [], .failed),
        (.failed, .promoted, [], .failed),
    ]

    @Test("Taken up in any phase, it asks for what that phase needs; a failed one asks for nothing", arguments: phases)
    func takesUp(phase: Rollout.Phase, event: Rollout.Event, actions: [Rollout.Action], end: Rollout.Phase) {
        var rollout = self.rollout(phase)
        #expect(rollout.receive(event, at: Self.now) == actions)
        #expect(rollout.phase == end)
    }
}
