internal import Planning
internal import Schema

/// Holds, one line each.
enum HoldTable {
    static func render(_ holds: [Hold]) -> String {
        var table = TextTable(["VARIANT", "REVISION", "BY", "SINCE", "REASON"])
        for hold in holds {
            table.add([
                hold.variant.description, hold.revision.description, hold.actor.description,
                TimeText.render(hold.at), "\(hold.reason): \(hold.message)",
            ])
        }
        return table.render()
    }
}

/// Rollouts under way, one line each.
enum RolloutTable {
    static func render(_ views: [VariantView]) -> String {
        var table = TextTable(["VARIANT", "REVISION", "FROM", "STRATEGY", "PHASE", "SINCE"])
        for view in views {
            guard let rollout = view.rollout else { continue }
            table.add([
                view.variant.description, rollout.revision.description, view.promoted?.description ?? "-",
                rollout.strategy.rawValue, rollout.phase.rawValue, TimeText.render(rollout.startedAt),
            ])
        }
        return table.render()
    }
}
