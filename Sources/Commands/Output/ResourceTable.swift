internal import Planning
internal import Schema

/// Tables of resources, as `get` and `status` print them.
enum ResourceTable {
    /// Resources of one kind, or of all.
    static func render(_ views: [ResourceView], of kind: Kind?, wide: Bool) -> String {
        if kind == .endpoint { return self.endpoints(views, wide: wide) }
        if kind == .model { return self.models(views, wide: wide) }
        return self.resources(views, wide: wide)
    }

    /// Endpoints with their four revisions, one line for each variant.
    static func endpoints(_ views: [ResourceView], wide: Bool) -> String {
        var header = ["ENDPOINT", "SYNC", "HEALTH", "SERVING", "PROMOTED", "DESIRED", "REPLICAS"]
        if wide { header += ["ATTEMPTED", "IN FLIGHT", "SETTINGS"] }
        var table = TextTable(header + ["REASON"])
        for view in views {
            for variant in view.variants {
                var cells = [
                    variant.variant.description, view.sync.rawValue, view.health.rawValue,
                    ResourceTable.serving(variant.serving), ResourceTable.revision(variant.promoted),
                    ResourceTable.revision(variant.desired), ResourceTable.replicas(variant),
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

    /// Models with what is in memory of each; a dash where no endpoint uses it.
    private static func models(_ views: [ResourceView], wide: Bool) -> String {
        var header = ["MODEL", "SYNC", "HEALTH", "STATE", "MEMORY", "LAST USED"]
        if wide { header += ["COPIES", "INSTANCE", "DIGEST", "LOCATION"] }
        var table = TextTable(header + ["REASON"])
        for view in views {
            let instance = view.instance
            let isHeld = instance.map { $0.memoryBytes > 0 } ?? false
            var cells = [
                "\(view.namespace)/\(view.name)", view.sync.rawValue, self.health(view),
                instance?.state.rawValue ?? "-", isHeld ? ByteText.render(instance?.memoryBytes ?? 0) : "-",
                instance?.lastUsed.map { TimeText.render($0) } ?? "-",
            ]
            if wide {
                cells += [
                    instance.map { String($0.copies) } ?? "-", instance?.key.description ?? "-",
                    view.digest?.short ?? "-", view.location ?? "-",
                ]
            }
            table.add(cells + [self.reason(view)])
        }
        return table.render()
    }

    private static func health(_ view: ResourceView) -> String {
        view.health.rawValue + (view.suspended ? " (suspended)" : "")
    }

    /// `2`, or `1/3` where there is one of three that are wanted; two revisions that run side by side may have more.
    private static func replicas(_ variant: VariantView) -> String {
        let isShort = variant.replicas < variant.wantedReplicas
        return isShort ? "\(variant.replicas)/\(variant.wantedReplicas)" : String(variant.replicas)
    }

    private static func resources(_ views: [ResourceView], wide: Bool) -> String {
        var table = TextTable(["RESOURCE", "SYNC", "HEALTH"] + (wide ? ["DIGEST", "LOCATION"] : []) + ["REASON"])
        for view in views {
            let extra = wide ? [view.digest?.short ?? "-", view.location ?? "-"] : []
            table.add(
                [
                    view.identity.description, view.sync.rawValue, self.health(view),
                ] + extra
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
