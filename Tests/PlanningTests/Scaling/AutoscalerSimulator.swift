import Planning
import Schema

/// Plays traces through an autoscaler, one look a second: traces in, replica counts out.
struct AutoscalerSimulator {
    var policy: EndpointSpec.Replicas
    private(set) var autoscaler: Autoscaler
    /// Every decision, with the second that it fell in.
    private(set) var decisions: [(second: Int, decision: ScalingDecision)] = []
    /// The number after each look.
    private(set) var counts: [Int] = []

    init(_ policy: EndpointSpec.Replicas, replicas: Int? = nil) {
        self.policy = policy
        self.autoscaler = Autoscaler(policy, replicas: replicas)
    }

    /// Lets a number of requests at once last for a number of seconds.
    mutating func play(_ requests: Double, seconds: Int = 1) {
        for _ in 0..<seconds {
            let second = self.counts.count + 1
            let demand = RequestDemand(average: requests, now: Int(requests.rounded(.up)))
            if let decision = self.autoscaler.receive(demand, under: self.policy, at: .seconds(second)) {
                self.decisions.append((second, decision))
            }
            self.counts.append(self.autoscaler.decision.replicas)
        }
    }

    /// Plays a whole trace: numbers of requests, each with the seconds that it lasts.
    mutating func play(_ trace: [(requests: Double, seconds: Int)]) {
        for (requests, seconds) in trace { self.play(requests, seconds: seconds) }
    }

    /// The counts in few words: `1 x5, 3 x61`, runs of one number with their lengths in seconds.
    var runs: String {
        var runs: [(count: Int, seconds: Int)] = []
        for count in self.counts {
            if runs.last?.count == count { runs[runs.count - 1].seconds += 1 } else { runs.append((count, 1)) }
        }
        return runs.map { "\($0.count) x\($0.seconds)" }.joined(separator: ", ")
    }

    /// What an endpoint says, in seconds.
    static func policy(
        min: Int = 1,
        max: Int = 4,
        target: Int = 4,
        up: Int64 = 5,
        down: Int64 = 60
    ) -> EndpointSpec.Replicas {
        guard
            case .endpoint(let spec)? = try? ResourceSpec(
                kind: .endpoint,
                value: Kind.endpoint.shape.complete([
                    "serve": ["model": "m"],
                    "replicas": [
                        "min": .integer(Int64(min)), "max": .integer(Int64(max)),
                        "targetConcurrency": .integer(Int64(target)), "scaleUpDelay": .string("\(up)s"),
                        "scaleDownDelay": .string("\(down)s"),
                    ],
                ])
            )
        else { preconditionFailure("the endpoint must decode") }
        return spec.replicas
    }
}
