package import Planning
internal import Schema

extension PlanSimulator {
    /// Lets the world take one random turn: mostly a controller's pass, now and then a commit, trouble or a person.
    package mutating func takeTurn() throws {
        switch Int.random(in: 0..<22, using: &self.random) {
        case 0, 1: self.commitSomething()
        case 2: self.crash(whileLoading: self.loadingInstance())
        case 3: self.somethingDies()
        case 4, 5: self.somebodyDecides()
        case 6: self.now = self.now.advanced(byMilliseconds: Int64.random(in: 0...120_000, using: &self.random))
        case 7: self.waitForPlan()
        case 8: self.somebodyAsks()
        case 9, 10: self.demandChanges()
        default: try self.takePass()
        }
    }

    /// One pass of a controller: writes the facts, starts some of the steps that can start; each may fail.
    package mutating func takePass() throws {
        let plan = self.plan()
        for step in plan.steps where step.after.isEmpty && step.action.writesFacts {
            try self.perform(step)
        }
        for step in self.plan().steps where step.after.isEmpty && !step.action.writesFacts {
            try self.attempt(step)
        }
        let current = self.plan()
        let known = Set(current.steps.map(\.action.key) + current.waits.compactMap(\.step))
        self.observed.failures = self.observed.failures.filter { known.contains($0.key) }
    }

    private mutating func attempt(_ step: PlanStep) throws {
        try self.check(step.action)
        let canFail: Bool
        switch step.action {
        case .probe, .load, .start, .warmUp, .scale: canFail = true
        case .setTraffic, .applySettings, .drain, .stop, .unload, .removeEndpoint, .beginRollout, .promote,
            .advanceRollout, .hold, .liftHold, .forget:
            canFail = false
        }
        switch Int.random(in: 0..<10, using: &self.random) {
        case 0 where canFail: self.fail(step.action, "FileBroken", .terminal)
        case 1 where canFail: self.fail(step.action, "DiskBusy", .retryable)
        case 2 where canFail: self.fail(step.action, "NotYet", .waiting)
        case 3: self.stayUnderWay(step.action)
        case 4: break
        default: try self.perform(step)
        }
    }

    private mutating func stayUnderWay(_ action: StepAction) {
        switch action {
        case .load(let instance):
            guard self.observed.runtime.instances[instance.key] == nil else { return }
            self.observed.runtime.instances[instance.key] = InstanceObservation(state: .loading, copies: 0)
        case .drain(let runner, _):
            self.observed.runtime.runners[runner]?.state = .draining
            self.observed.runtime.runners[runner]?.inFlight = 1
        case .probe, .beginRollout, .start, .warmUp, .setTraffic, .promote, .advanceRollout, .hold, .liftHold,
            .applySettings, .scale, .stop, .unload, .removeEndpoint, .forget:
            return
        }
    }

    private mutating func loadingInstance() -> InstanceKey? {
        let loading = self.observed.runtime.instances.filter { $0.value.state == .loading }.keys.sorted()
        return loading.isEmpty ? nil : self.random.pick(loading)
    }

    private mutating func somethingDies() {
        let instances = self.observed.runtime.instances.keys.sorted()
        let runners = self.observed.runtime.runners.keys.sorted()
        if !instances.isEmpty, self.random.oneIn(2) {
            self.observed.runtime.instances[self.random.pick(instances)]?.state = .failed
        } else if !runners.isEmpty {
            self.observed.runtime.runners[self.random.pick(runners)]?.state = .failed
        }
    }

    /// A request comes for a lazy model that is not loaded; or one that is loaded is evicted.
    private mutating func somebodyAsks() {
        let running = self.observed.runtime.runners.keys.sorted().compactMap { self.graph(of: $0) }
        let instances = running.flatMap(\.models).map(\.instance)
        let lazy = instances.filter { self.isLazy($0.key) }
        guard !lazy.isEmpty else { return }
        let instance = self.random.pick(lazy).key
        switch self.observed.runtime.instances[instance]?.state {
        case nil: self.observed.runtime.instances[instance] = InstanceObservation(state: .demanded, copies: 0)
        case .ready: self.observed.runtime.instances[instance] = nil
        case .loading, .failed, .demanded: return
        }
    }

    /// More or fewer replicas are wanted of somebody.
    private mutating func demandChanges() {
        let variants = self.desired.variants.keys.sorted()
        guard !variants.isEmpty else { return }
        let replicas = Int.random(in: 0...3, using: &self.random)
        self.observed.scaling[self.random.pick(variants)] = ScalingDecision(
            replicas: replicas,
            reason: "\(replicas) are needed"
        )
    }

    private mutating func commitSomething() {
        let names = ["one", "two", "three", "four"]
        let name = self.random.pick(names)
        let model = self.random.pick(self.world.models.keys.sorted())
        let choice = Int.random(in: 0..<10, using: &self.random)
        let replicas = Int.random(in: 1...3, using: &self.random)
        let hasTenant = self.random.oneIn(2)
        self.commit { world in
            var service = world.services[name]
            switch choice {
            case 0: service = nil
            case 1: service = PlanWorld.Service(models: [model])
            case 2: world.models[model, default: 1] += 1
            case 3: service?.replicas = replicas
            case 4: service?.isBlocked.toggle()
            case 5: service?.add(model)
            case 6: service?.tenants = hasTenant ? ["acme"] : []
            case 7: world.lazy.formSymmetricDifference([model])
            case 8: service?.scale(from: replicas % 2, to: replicas)
            default: service?.promptVersion = replicas
            }
            world.services[name] = service
        }
    }

    private mutating func somebodyDecides() {
        let variants = self.desired.variants.keys.sorted()
        guard !variants.isEmpty else { return }
        let variant = self.random.pick(variants)
        switch Int.random(in: 0..<5, using: &self.random) {
        case 0: self.rollBack(variant)
        case 1: self.observed.facts.suspensions.insert(self.random.oneIn(2) ? .everything : .resource(variant.resource))
        case 2: self.retry(variant)
        default: self.observed.facts.suspensions = []
        }
    }

    /// A person holds the desired revision, and goes back to one that was promoted before.
    package mutating func rollBack(_ variant: VariantID) {
        guard let desired = self.desired.variants[variant]?.revision else { return }
        let earlier = self.observed.facts.variants[variant]?.earlier.last { $0 != desired }
        let hold = Hold(
            variant: variant,
            revision: desired,
            reason: "RolledBack",
            message: "a person said so",
            actor: Actor("ann"),
            at: self.now,
            commit: self.desired.commit.id,
            target: earlier
        )
        self.observed.facts.record(.hold(hold))
    }

    /// A person lifts the hold on the desired revision and forgives its instances.
    package mutating func retry(_ variant: VariantID) {
        guard let graph = self.desired.variants[variant] else { return }
        self.observed.facts.record(.liftHold(variant, graph.revision))
        self.observed.facts.crashed.subtract(graph.models.map(\.instance.key))
        self.observed.failures = [:]
    }

    /// The trouble is over: nobody suspends anything, and what fails no more is tried again.
    package mutating func calmDown() throws {
        self.observed.facts.suspensions = []
        for _ in 0..<50 {
            let plan = self.plan()
            if plan.steps.isEmpty {
                guard let until = plan.waits.compactMap(\.until).min() else { return }
                self.now = max(self.now, until)
                continue
            }
            try self.performInRandomOrder(plan)
        }
        throw Violation(description: "never calm: \(self.plan().steps.map(\.action.key.description))")
    }
}
