internal import Planning
internal import Synchronization

/// A step that was not performed: one that it comes after has failed, or something newer than its plan was decided.
struct StepSkipped: Error {}

/// Steps that never wait for anything, performed in one go: each comes after nothing, or only after others of the line.
///
/// So many of them, as after a start, make one pass of the loop, and not one each.
final class StepLine: Sendable {
    struct Entry: Sendable {
        var action: StepAction
        /// The places in the line of those that it comes after.
        var after: [Int]
    }

    typealias Ends = [(StepAction, Result<StepOutcome, any Error>)]

    /// The loop waits for the end of a line: what has no place in one is done in the next.
    static let longest = 10_000
    /// Fewer steps than this are not worth another thread.
    private static let stripe = 256

    private let entries: [Entry]
    private let isInterrupted = Atomic(false)

    /// Takes the steps of a plan on that have a place in a line; nil where none has.
    ///
    /// - Parameter begin: Whether a step can begin now; asked once for each that has a place.
    init?(of steps: [PlanStep], begin: (StepAction) -> Bool) {
        // Answers name the commit in force, which the runtime is told once all settings are: before that, nothing new
        // takes traffic.
        let appliesSettings = steps.applySettings
        var entries: [Entry] = []
        var places: [Int: Int] = [:]
        for (index, step) in steps.enumerated() where step.action.isQuick {
            let after = step.after.compactMap { places[$0] }
            guard after.count == step.after.count, after.isEmpty || !appliesSettings, begin(step.action) else {
                continue
            }
            places[index] = entries.count
            entries.append(Entry(action: step.action, after: after))
            if entries.count == Self.longest { break }
        }
        if entries.isEmpty { return nil }
        self.entries = entries
    }

    /// Something was decided that the plan of the line does not know: steps that come after others are skipped from now
    /// on, and the next plan says whether they still have to be done.
    func interrupt() {
        self.isInterrupted.store(true, ordering: .relaxed)
    }

    /// Performs the steps, on all cores where there are many; gives how they ended, in order.
    func perform(by executor: PlanExecutor) async -> Ends {
        let pieces = self.pieces
        guard pieces.count > 1 else { return await self.perform(self.entries.indices, by: executor) }
        return await withTaskGroup(of: (Int, Ends).self) { group in
            for (number, piece) in pieces.enumerated() {
                group.addTask { (number, await self.perform(piece, by: executor)) }
            }
            var ends = [Ends](repeating: [], count: pieces.count)
            for await (number, piece) in group { ends[number] = piece }
            return ends.flatMap(\.self)
        }
    }

    private func perform(_ places: Range<Int>, by executor: PlanExecutor) async -> Ends {
        var ends: Ends = []
        var failed: Set<Int> = []
        for place in places {
            // Requests are answered by the same threads.
            if place % 32 == 31 { await Task.yield() }
            let entry = self.entries[place]
            do {
                let isStale = !entry.after.isEmpty && self.isInterrupted.load(ordering: .relaxed)
                guard !isStale, failed.isDisjoint(with: entry.after) else { throw StepSkipped() }
                ends.append((entry.action, .success(try await executor.perform(entry.action))))
            } catch {
                failed.insert(place)
                ends.append((entry.action, .failure(error)))
            }
        }
        return ends
    }

    /// Parts of the line that do not depend on each other.
    private var pieces: [Range<Int>] {
        var pieces: [Range<Int>] = []
        var (end, reach) = (self.entries.endIndex, self.entries.endIndex)
        for place in self.entries.indices.reversed() {
            reach = min(reach, place, self.entries[place].after.min() ?? place)
            guard end - place >= Self.stripe || place == 0, reach == place else { continue }
            pieces.append(place..<end)
            end = place
        }
        return pieces.reversed()
    }
}

extension [PlanStep] {
    /// Whether settings have to be applied.
    var applySettings: Bool {
        self.contains { step in
            if case .applySettings = step.action { true } else { false }
        }
    }
}

extension StepAction {
    /// Whether the step never waits for anything, so that others can stand in line behind it.
    var isQuick: Bool {
        switch self {
        case .setTraffic, .applySettings, .removeEndpoint, .start, .stop: true
        case .probe, .load, .warmUp, .scale, .drain, .unload, .beginRollout, .promote, .advanceRollout, .hold,
            .liftHold, .forget:
            false
        }
    }
}
