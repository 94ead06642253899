package import Schema

/// One revision's runner.
package struct RunnerKey: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    package var variant: VariantID
    package var revision: Revision

    package init(_ variant: VariantID, _ revision: Revision) {
        self.variant = variant
        self.revision = revision
    }

    package var description: String { "\(self.variant)#\(self.revision)" }

    package static func < (lhs: RunnerKey, rhs: RunnerKey) -> Bool {
        (lhs.variant, lhs.revision) < (rhs.variant, rhs.revision)
    }
}

/// What is seen of one loaded model. A lazy one that is not loaded, and that nothing waits for, is not seen.
package struct InstanceObservation: Sendable, Hashable, Codable {
    package enum State: String, Sendable, Hashable, Codable {
        case loading
        case ready
        /// Dead, hung past its deadline, or failing: to be replaced.
        case failed
        /// Lazy, and not loaded in this life of the process, though a request waits for it.
        case demanded
    }

    package var state: State
    /// Why it failed; empty else.
    package var message: String
    package var memoryBytes: Int64
    /// How many copies are ready.
    package var copies: Int
    /// Whether a runner holds it, so that it cannot be given back.
    package var isLeased: Bool
    /// Of the servers elsewhere that answer for it, the ones that are left alone for a while, by address, with the reasons;
    /// nil where there are none.
    package var coolingDown: [String: String]?

    package init(
        state: State,
        message: String = "",
        memoryBytes: Int64 = 0,
        copies: Int = 1,
        isLeased: Bool = false
    ) {
        self.state = state
        self.message = message
        self.memoryBytes = memoryBytes
        self.copies = copies
        self.isLeased = isLeased
    }
}

/// What is seen of one revision's replicas.
package struct RunnerObservation: Sendable, Hashable, Codable {
    package enum State: String, Sendable, Hashable, Codable {
        /// Started, not warmed up: takes no traffic.
        case started
        case ready
        /// Takes no new requests; those under way finish.
        case draining
        /// Drained: nothing is under way.
        case drained
        case failed
    }

    package var state: State
    package var replicas: Int
    package var inFlight: Int
    /// Requests that wait for a first replica; 0 where there is one.
    package var waiting: Int
    package var message: String

    package init(state: State, replicas: Int, inFlight: Int = 0, waiting: Int = 0, message: String = "") {
        self.state = state
        self.replicas = replicas
        self.inFlight = inFlight
        self.waiting = waiting
        self.message = message
    }
}

/// A share of a variant's requests.
package struct TrafficShare: Sendable, Hashable, Codable {
    package var revision: Revision
    /// 0 to 100; the shares of a variant add up to 100.
    package var weight: Int

    package init(revision: Revision, weight: Int) {
        self.revision = revision
        self.weight = weight
    }
}

/// What runs right now, as the serving runtime reports it.
package struct RuntimeObservation: Sendable, Hashable {
    package var instances: [InstanceKey: InstanceObservation]
    package var runners: [RunnerKey: RunnerObservation]
    package var traffic: [VariantID: [TrafficShare]]
    /// The settings in force, by endpoint.
    package var settings: [ResourceIdentity: Revision]
    /// Calls into engines that hung and were left behind since the process started.
    package var abandonedCalls = 0

    package init(
        instances: [InstanceKey: InstanceObservation] = [:],
        runners: [RunnerKey: RunnerObservation] = [:],
        traffic: [VariantID: [TrafficShare]] = [:],
        settings: [ResourceIdentity: Revision] = [:]
    ) {
        self.instances = instances
        self.runners = runners
        self.traffic = traffic
        self.settings = settings
    }
}

/// The planner's second input: what runs, and what was written down.
package struct ObservedState: Sendable, Hashable {
    package var runtime: RuntimeObservation
    package var facts: Facts
    /// Of steps that failed in this life of the process, by ``StepKey``.
    package var failures: [StepKey: StepFailure]
    /// How many replicas variants are to have that are scaled by how much there is to do; of others, and before anybody
    /// has looked, the manifest decides.
    package var scaling: [VariantID: ScalingDecision]
    /// Bytes that instances may take together; nil: no bound.
    package var memoryBudget: Int64?
    /// Engines that can be used, with what else is known offline; nil: not known (a plan far from the server).
    package var engines: Set<String>?
    /// What the machine has beside its CPU, by the engine that computes on it; as far as ``engines`` is known.
    package var accelerators: [String: Set<String>]

    package init(
        runtime: RuntimeObservation = RuntimeObservation(),
        facts: Facts = Facts(),
        failures: [StepKey: StepFailure] = [:],
        scaling: [VariantID: ScalingDecision] = [:],
        memoryBudget: Int64? = nil,
        engines: Set<String>? = nil,
        accelerators: [String: Set<String>] = [:]
    ) {
        self.runtime = runtime
        self.facts = facts
        self.failures = failures
        self.scaling = scaling
        self.memoryBudget = memoryBudget
        self.engines = engines
        self.accelerators = accelerators
    }
}
