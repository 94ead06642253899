internal import Planning
internal import Schema

/// Tables of resources, as `get` and `status` print them.
enum ResourceTable {
    /// Endpoints with their four revisions.
    static func endpoints(_ views: [ResourceView], wide: Bool) -> String {
        guard !views.isEmpty else { return "No endpoints." }
        var header = ["ENDPOINT", "SYNC", "HEALTH", "SERVING", "PROMOTED", "DESIRED", "REPLICAS"]
        if wide { header += ["ATTEMPTED", "IN FLIGHT", "SETTINGS"] }
        var table = TextTable(header + ["REASON"])
        for view in views {
            for variant in view.variants {
                var cells = [
                    variant.variant.description, view.sync.rawValue, view.health.rawValue,
                    ResourceTable.serving(variant.serving), ResourceTable.revision(variant.promoted),
                    ResourceTable.revision(variant.desired), String(variant.replicas),
                ]
                if wide {
                    cells += [
                        ResourceTable.revision(variant.attempted), String(variant.inFlight),
                        ResourceTable.revision(view.settingsRevision),
                    ]
                }
                table.add(cells + [ResourceTable.reason(view)])
            }
            if view.variants.isEmpty {
                let name = "\(view.namespace)/\(view.name)"
                let blanks = Array(repeating: "-", count: wide ? 7 : 4)
                table.add([name, view.sync.rawValue, view.health.rawValue] + blanks + [ResourceTable.reason(view)])
            }
        }
        return table.render()
    }

    /// Resources of any kind.
    static func resources(_ views: [ResourceView], wide: Bool) -> String {
        guard !views.isEmpty else { return "No resources." }
        var table = TextTable(["RESOURCE", "SYNC", "HEALTH"] + (wide ? ["DIGEST", "LOCATION"] : []) + ["REASON"])
        for view in views {
            let extra = wide ? [view.digest?.short ?? "-", view.location ?? "-"] : []
            table.add(
                [view.identity.description, view.sync.rawValue, view.health.rawValue] + extra
                    + [ResourceTable.reason(view)]
            )
        }
        return table.render()
    }

    /// The condition that says most: what blocks or stalls, what goes on, else whether it is ready.
    static func reason(_ view: ResourceView) -> String {
        let order: [Condition.Kind] = [.blocked, .stalled, .reconciling, .ready]
        let condition = order.lazy.compactMap { kind in view.conditions.first { $0.type == kind } }.first
        guard let condition else { return "" }
        return condition.message.isEmpty ? condition.reason : "\(condition.reason): \(condition.message)"
    }

    private static func serving(_ shares: [TrafficShare]) -> String {
        if shares.isEmpty { return "-" }
        return shares.map { $0.weight == 100 ? "\($0.revision)" : "\($0.revision) \($0.weight)%" }
            .joined(separator: ", ")
    }

    private static func revision(_ revision: Revision?) -> String {
        revision?.description ?? "-"
    }
}

/// Holds, one line each.
enum HoldTable {
    static func render(_ holds: [Hold]) -> String {
        guard !holds.isEmpty else { return "No holds." }
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
