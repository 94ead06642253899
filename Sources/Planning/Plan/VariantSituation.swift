internal import Schema

/// Everything about one variant that its part of a plan is decided from.
///
/// A class, since every part of the planner walks over all of them: a copy would cost more than the look. Nothing changes
/// it after the survey.
final class VariantSituation {
    enum Mode: Sendable, Hashable {
        /// The commit says what to serve.
        case follow
        /// The commit's word cannot be used, for this reason: the promoted revision goes on.
        case keep(word: String, String)
        /// A person has suspended it: nothing changes but what it takes to keep serving.
        case suspended(String)
        /// It left the repository.
        case prune
    }

    let id: VariantID
    let endpoint: ResourceIdentity
    let mode: Mode
    let facts: VariantFacts
    /// What the commit asks for; nil where it cannot be told.
    let desired: RevisionGraph?
    /// The revision that answers when all is well.
    let promoted: RevisionGraph?
    /// What is to answer in the end: the desired revision, or what a hold puts in its place; nil: nothing.
    var target: RevisionGraph?
    let settings: EndpointSettings?
    /// By revision, those to be written by this plan included.
    var holds: [Revision: Hold]
    /// Holds that this plan writes, in order.
    var newHolds: [Hold] = []
    /// Sorted by revision.
    let runners: [(key: RunnerKey, value: RunnerObservation)]
    let traffic: [TrafficShare]
    /// How many replicas are to take its requests.
    let scale: ScalingDecision

    init(
        id: VariantID,
        mode: Mode,
        facts: VariantFacts,
        desired: RevisionGraph?,
        promoted: RevisionGraph?,
        settings: EndpointSettings?,
        holds: [Revision: Hold],
        runners: [(key: RunnerKey, value: RunnerObservation)],
        traffic: [TrafficShare],
        scaling: ScalingDecision?
    ) {
        self.id = id
        self.mode = mode
        self.facts = facts
        self.desired = desired
        self.promoted = promoted
        self.settings = settings
        self.holds = holds
        self.runners = runners
        self.traffic = traffic
        self.scale = settings?.replicas.wanted(scaling) ?? ScalingDecision(replicas: 1, reason: "one replica at least")
        self.endpoint = id.resource
    }

    /// Whether the target has to take over from another revision, or is the first.
    var isRolling: Bool {
        guard let target else { return false }
        return target.revision != self.promoted?.revision
    }

    func runner(of revision: Revision) -> RunnerObservation? {
        self.runners.first { $0.key.revision == revision }?.value
    }

    /// Whether requests are answered now: all traffic goes to runners that are ready.
    var isServing: Bool {
        !self.traffic.isEmpty && self.traffic.allSatisfy { self.runner(of: $0.revision)?.state == .ready }
    }

    func hasTraffic(_ revision: Revision) -> Bool {
        self.traffic.contains { $0.revision == revision && $0.weight > 0 }
    }

    /// The graph of any revision that is known.
    func graph(of revision: Revision) -> RevisionGraph? {
        if let desired, desired.revision == revision { return desired }
        return self.facts.graph(of: revision)
    }

    var drainTimeout: ManifestDuration { self.settings?.rollout.drainTimeout ?? .seconds(30) }

    /// Instances that the variant needs: of its target, of the promoted revision where that one is to stay, and
    /// everything that a runner leases which goes on.
    ///
    /// - Parameters:
    ///   - goesOn: Whether a runner is not stopped.
    ///   - isReleased: Whether a revision, even though it answers, is left without replicas.
    func keptInstances(
        promoted keepsPromoted: Bool,
        whereGoesOn goesOn: (RunnerKey) -> Bool = { _ in true },
        isReleased: (RunnerKey) -> Bool = { _ in false }
    ) -> Set<InstanceKey> {
        var kept: Set<InstanceKey> = []
        func keep(_ graph: RevisionGraph?) {
            guard let graph else { return }
            // Lazy ones give their room away by themselves, and come back without a plan.
            let isAsleep = self.isAsleep(graph.revision) || isReleased(RunnerKey(self.id, graph.revision))
            for model in graph.models where model.instance.isLazy || !isAsleep { kept.insert(model.instance.key) }
        }
        keep(self.target)
        if self.mode.isSuspended { keep(self.desired) }
        if self.mode != .prune, keepsPromoted { keep(self.promoted) }
        for (key, _) in self.runners where goesOn(key) { keep(self.graph(of: key.revision)) }
        return kept
    }

    /// The instances of the target, if that is to have replicas.
    var wantedInstances: [InstanceSpec] {
        guard let target, !self.isAsleep(target.revision) else { return [] }
        return target.instances
    }

    /// What the variant needs of instances, before a plan changes anything.
    var need: InstanceNeeds.Need {
        let copies = self.wantedInstances.map { ($0.key, $0.copies) }
        return InstanceNeeds.Need(
            copies: Dictionary(copies) { first, _ in first },
            kept: self.keptInstances(promoted: true)
        )
    }

    /// Follows holds from the desired revision to what may be served.
    func resolveTarget() {
        var seen: Set<Revision> = []
        var revision = self.desired?.revision ?? self.promoted?.revision
        while let held = revision, let hold = self.holds[held] {
            let isNew = seen.insert(held).inserted
            revision = isNew ? hold.target ?? self.promoted?.revision : self.promoted?.revision
            if revision == self.promoted?.revision { break }
        }
        self.target = revision.flatMap { self.graph(of: $0) } ?? self.promoted
    }
}

extension RevisionGraph {
    /// The instances that the revision leases, each once.
    var instances: [InstanceSpec] {
        if self.models.count < 2 { return self.models.map(\.instance) }
        var seen: Set<InstanceKey> = []
        return self.models.map(\.instance).filter { seen.insert($0.key).inserted }
    }

    /// The instances that have to be loaded before the revision runs.
    var eagerInstances: [InstanceSpec] { self.instances.filter { !$0.isLazy } }
}
