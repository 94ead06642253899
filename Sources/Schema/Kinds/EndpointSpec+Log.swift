extension EndpointSpec {
    /// `log`: what is kept of requests. Every request leaves a record; this says what stands in it, and for how long.
    package struct Log: Sendable, Hashable, Codable {
        /// Whose inputs and outputs are kept.
        package enum Payloads: String, Sendable, Hashable, Codable, CaseIterable {
            case all
            /// Those of requests that failed.
            case errors
            case none
        }

        /// What is blackened wherever it stands in a text.
        package enum Redaction: String, Sendable, Hashable, Codable, CaseIterable {
            case email
            case phone
            case card
            case iban
        }

        /// When a record is safe.
        package enum Durability: String, Sendable, Hashable, Codable, CaseIterable {
            /// Within milliseconds after the answer.
            case batched
            /// Before the answer, for lost power too.
            case sync
        }

        package var payloads: Payloads
        /// The share of requests whose payloads are kept, 0 to 1.
        package var sample: Double
        package var redact: [Redaction]
        package var retention: ManifestDuration
        package var durability: Durability

        package init(
            payloads: Payloads = .all,
            sample: Double = 1,
            redact: [Redaction] = [],
            retention: ManifestDuration = .seconds(30 * 86_400),
            durability: Durability = .batched
        ) {
            self.payloads = payloads
            self.sample = sample
            self.redact = redact
            self.retention = retention
            self.durability = durability
        }

        /// What holds for an endpoint without `log`.
        package static let standard = Log()
    }
}
