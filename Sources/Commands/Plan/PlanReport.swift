internal import Planning
internal import Schema

/// A plan with what a reviewer needs beside it.
struct PlanReport: Encodable {
    /// What becomes of one endpoint's variant.
    struct VariantChange: Encodable, Hashable {
        enum Verb: String, Encodable {
            /// It answers for the first time.
            case starts
            /// Another revision takes over.
            case rolls
            /// Its settings change at once; the revision stays.
            case settings
            case leaves
        }

        var variant: VariantID
        var verb: Verb
        var from: Revision?
        var to: Revision?
        var strategy: EndpointSpec.Rollout.Strategy?
        var reason: String
        /// The resources by which the endpoint comes to the one that changed, from its side to that one's; empty where it
        /// names it itself.
        var path: [ResourceIdentity] = []
    }

    /// What is planned from and to, and what that rests on.
    var heading: String
    var assumption: String?
    /// Which resources differ; empty for a live plan.
    var changes: [ResourceChange]
    var variants: [VariantChange]
    var memory: Memory?
    var plan: Plan
    /// Errors of the newer side; what they concern is not in the plan.
    var errors: [Diagnostic]
    /// What is read and not applied, and why.
    var notApplied: [Diagnostic]
    /// How the newer side breaks policies: what they deny is not applied.
    var policies: [PolicyFinding] = []
    /// Whether the newer side would be let in, by who signed it; nil when no signature is demanded.
    var signature: SignatureReport?
    /// Of commits that are not in force yet, by a live plan.
    var proposed: [PlanReport] = []
    /// Nothing is to be done.
    var isConverged: Bool

    /// Plans from one commit, taken as converged, to another.
    init(_ comparison: Comparison, memoryBudget: ByteCount?) {
        let base = comparison.base
        var head = comparison.head
        // Nothing in a plan far from the server depends on the time; a fixed one makes the same plan the same text.
        let now = Timestamp(milliseconds: 0)
        let converged = ObservedState.converged(to: base)
        var observed = converged
        let stop = PruneGuard.stop(head, serving: Set(observed.facts.variants.keys.map(\.resource)))
        head.guarded = stop.map { [$0] } ?? []
        observed.memoryBudget = memoryBudget?.bytes
        let plan = Planner.plan(desired: head, observed: observed, now: now)
        self.heading = "from \(comparison.baseName) to \(comparison.headName)"
        self.assumption =
            base.commit.id.isEmpty
            ? "It assumes that nothing runs yet." : "It assumes that \(comparison.baseName) has converged."
        self.changes = ResourceChange.all(from: base, to: head)
        self.variants = PlanReport.variants(in: plan, base: base, head: head)
        self.memory = Memory(plan, base: base, head: head, comparison.rest, budget: memoryBudget?.bytes)
        self.plan = plan
        self.errors = head.diagnostics.filter { $0.severity == .error }
        self.notApplied = (head.unavailable + comparison.rest.unavailable).sorted()
        self.policies = head.policyReview.allFindings
        self.signature = comparison.signature
        self.isConverged =
            plan.steps.isEmpty && plan.guarded.isEmpty && PlanReport.waits(plan.waits, stood: converged, base)
    }

    /// Whether everything that is waited for was waited for before, when the base had converged.
    private static func waits(_ waits: [PlanWait], stood converged: ObservedState, _ base: DesiredState) -> Bool {
        guard !waits.isEmpty else { return true }
        let standing = Planner.plan(desired: base, observed: converged, now: Timestamp(milliseconds: 0)).waits
        return waits.allSatisfy { standing.contains($0) }
    }

    /// What a running controller would do now.
    init(live plan: Plan) {
        let commit = plan.commit.isEmpty ? "before any commit" : "for commit \(CommitSet.words(for: plan.commit))"
        self.heading = "of the running controller, \(commit)"
        self.assumption = nil
        self.changes = []
        self.variants = PlanReport.variants(in: plan, base: nil, head: nil)
        self.memory = nil
        self.plan = plan
        self.errors = []
        self.notApplied = []
        self.proposed = plan.proposed.map { PlanReport(proposed: $0) }
        self.isConverged =
            plan.steps.isEmpty && plan.waits.isEmpty && plan.guarded.isEmpty && plan.proposed.isEmpty
            && plan.obstacles.isEmpty
    }

    /// What a commit that waits would do.
    private init(proposed: ProposedPlan) {
        self.init(live: proposed.plan)
        let until = proposed.wait.until.map { " until \(TimeText.render($0))" } ?? ""
        self.heading = "of commit \(proposed.commit.id.prefix(10)), which waits\(until)"
        self.assumption = proposed.wait.reason
        self.errors = proposed.diagnostics.filter { $0.severity == .error }
    }

    private static func variants(in plan: Plan, base: DesiredState?, head: DesiredState?) -> [VariantChange] {
        var changes: [VariantID: VariantChange] = [:]
        for step in plan.steps {
            let change: VariantChange
            switch step.action {
            case .beginRollout(let graph, let rollout):
                let old = base?.variants[graph.variant]?.revision
                change = VariantChange(
                    variant: graph.variant,
                    verb: old == nil && base != nil ? .starts : .rolls,
                    from: old,
                    to: graph.revision,
                    strategy: rollout.strategy,
                    reason: step.reason,
                    path: head?.path(from: graph.variant.resource, to: step.cause.resource) ?? []
                )
            case .applySettings(let endpoint, _):
                let variant = VariantID(defaultOf: endpoint)
                guard changes[variant] == nil else { continue }
                change = VariantChange(variant: variant, verb: .settings, reason: step.reason)
            case .removeEndpoint(let endpoint):
                let variant = VariantID(defaultOf: endpoint)
                change = VariantChange(
                    variant: variant,
                    verb: .leaves,
                    from: base?.variants[variant]?.revision,
                    reason: step.reason
                )
            case .forget(let variant):
                guard changes[variant] == nil else { continue }
                let old = base?.variants[variant]?.revision
                change = VariantChange(variant: variant, verb: .leaves, from: old, reason: step.reason)
            case .probe, .load, .start, .warmUp, .setTraffic, .promote, .advanceRollout, .hold, .liftHold, .scale,
                .drain, .stop, .unload:
                continue
            }
            changes[change.variant] = change
        }
        return changes.values.sorted { $0.variant < $1.variant }
    }
}

extension DesiredState {
    /// The shortest way by which one resource names another, both left out; empty where there is none.
    fileprivate func path(from start: ResourceIdentity, to end: ResourceIdentity) -> [ResourceIdentity] {
        var before: [ResourceIdentity: ResourceIdentity] = [:]
        var open = [start][...]
        while let next = open.popFirst(), next != end {
            for reference in self.resources[next]?.references ?? [] {
                guard reference.target != start, before[reference.target] == nil else { continue }
                before[reference.target] = next
                open.append(reference.target)
            }
        }
        var path: [ResourceIdentity] = []
        var place = before[end]
        while let found = place, found != start {
            path.insert(found, at: 0)
            place = before[found]
        }
        return path
    }
}
