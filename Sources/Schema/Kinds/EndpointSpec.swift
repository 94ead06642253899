/// `Endpoint`: where people call.
package struct EndpointSpec: Sendable, Hashable, Codable {
    /// `serve`: a chain or a bare model, by reference.
    package struct Serve: Sendable, Hashable, Codable {
        package var chain: String?
        package var model: String?
    }

    /// How OpenAI messages become the chain's input, and its output the answer.
    package struct Chat: Sendable, Hashable, Codable {
        package var input: JSONValue?
        package var output: JSONValue?
    }

    package struct Replicas: Sendable, Hashable, Codable {
        package var min: Int
        package var max: Int
        package var targetConcurrency: Int
        package var scaleUpDelay: ManifestDuration
        package var scaleDownDelay: ManifestDuration
    }

    package struct Queue: Sendable, Hashable, Codable {
        package var limit: Int
        package var timeout: ManifestDuration
    }

    package struct Batching: Sendable, Hashable, Codable {
        package var maxSize: Int
        package var maxDelay: ManifestDuration
    }

    package struct Rollout: Sendable, Hashable, Codable {
        package enum Strategy: String, Sendable, Hashable, Codable, CaseIterable {
            case immediate
            case canary
            case blueGreen
            case shadow
            case experiment
        }

        package enum OnFailure: String, Sendable, Hashable, Codable, CaseIterable {
            case rollback
            case pause
        }

        package enum StickyBy: String, Sendable, Hashable, Codable, CaseIterable {
            case session
            case tenant
            case none
        }

        package var strategy: Strategy
        package var steps: [JSONValue]
        package var stickyBy: StickyBy
        package var progressDeadline: ManifestDuration
        package var drainTimeout: ManifestDuration
        package var onFailure: OnFailure
        package var swap: Bool
    }

    package struct TenantVariant: Sendable, Hashable, Codable {
        package var tenant: String
        package var serve: Serve
    }

    package struct Access: Sendable, Hashable, Codable {
        package var anonymous: Bool
        package var tenants: [String]
    }

    package struct Limits: Sendable, Hashable, Codable {
        package var maxBodyBytes: ByteCount
        package var timeout: ManifestDuration
    }

    package var serve: Serve
    package var chat: Chat?
    package var replicas: Replicas
    package var queue: Queue
    package var batching: Batching?
    package var rollout: Rollout
    package var tenants: [TenantVariant]
    /// Nil lets nobody in.
    package var access: Access?
    package var limits: Limits
    /// What is kept of requests; nil: as ``Log/standard`` says.
    package var log: Log?
}
