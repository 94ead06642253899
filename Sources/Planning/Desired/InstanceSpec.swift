package import Schema

/// The bytes of a model, an adapter or a dataset, by content.
package struct Artifact: Sendable, Hashable, Codable {
    package enum Location: Sendable, Hashable, Codable {
        /// A file of the watched repository: its path for people, its git blob id for identity.
        case repository(path: String, blob: ObjectID)
        /// A file on this machine, verified by SHA-256.
        case file(path: String, sha256: Digest)
    }

    package var location: Location
    /// In bytes; nil where it is not known without fetching.
    package var size: Int64?

    package init(location: Location, size: Int64?) {
        self.location = location
        self.size = size
    }

    /// What makes two artifacts the same: the content, not the path.
    package var identity: String {
        switch self.location {
        case .repository(_, let blob): "git:\(blob)"
        case .file(_, let sha256): "sha256:\(sha256)"
        }
    }

    /// The path as a manifest names it.
    package var path: String {
        switch self.location {
        case .repository(let path, _), .file(let path, _): path
        }
    }
}

/// Names one loaded model by what it is made of: engine, artifacts or upstreams, options, threads, accelerator.
package struct InstanceKey: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    package var digest: Digest

    package init(_ digest: Digest) {
        self.digest = digest
    }

    package var description: String { self.digest.short }

    package static func < (lhs: InstanceKey, rhs: InstanceKey) -> Bool { lhs.digest < rhs.digest }

    package init(from decoder: any Decoder) throws {
        self.digest = try Digest(from: decoder)
    }

    package func encode(to encoder: any Encoder) throws {
        try self.digest.encode(to: encoder)
    }
}

/// All that is needed to load one model; leased by every revision that uses it.
package struct InstanceSpec: Sendable, Hashable, Codable {
    package struct Adapter: Sendable, Hashable, Codable {
        package var name: String
        package var artifact: Artifact
        package var scale: Double

        package init(name: String, artifact: Artifact, scale: Double) {
            self.name = name
            self.artifact = artifact
            self.scale = scale
        }
    }

    package let key: InstanceKey
    /// The resource that declares the model, for people.
    package var model: ResourceIdentity
    package var engine: String
    /// The weights; nil for a model that a server elsewhere answers for.
    package var artifact: Artifact?
    /// The servers that answer, in the place of weights.
    package var upstreams: UpstreamSet?
    package var adapters: [Adapter]
    package var options: [String: JSONValue]
    package var threads: Int
    /// What computes beside the CPU; nil for nothing.
    package var accelerator: String?
    /// Sent through before the instance is ready; no part of ``key``.
    package var warmUp: [ModelSpec.WarmUp]
    /// How many copies of the instance run; no part of ``key``.
    package var copies: Int
    /// The manifest's own word on memory; the probe's is used where this is nil. No part of ``key``.
    package var declaredMemory: Int64?
    /// Nil for an eager one, as in facts that were written before there were lazy ones.
    private var lazy: Bool?

    /// Whether requests have the instance loaded, not the plan, and it may be evicted between them; no part of ``key``.
    package var isLazy: Bool {
        get { self.lazy ?? false }
        set { self.lazy = newValue ? true : nil }
    }

    package init(
        model: ResourceIdentity,
        engine: String,
        artifact: Artifact?,
        upstreams: UpstreamSet? = nil,
        adapters: [Adapter] = [],
        options: [String: JSONValue] = [:],
        threads: Int = 1,
        accelerator: String? = nil,
        warmUp: [ModelSpec.WarmUp] = [],
        copies: Int = 1,
        declaredMemory: Int64? = nil,
        isLazy: Bool = false
    ) {
        self.model = model
        self.engine = engine
        self.artifact = artifact
        self.upstreams = upstreams
        self.adapters = adapters
        self.options = options
        self.threads = threads
        self.accelerator = accelerator
        self.warmUp = warmUp
        self.copies = copies
        self.declaredMemory = declaredMemory
        self.lazy = isLazy ? true : nil
        let adapterValues = adapters.map { adapter -> JSONValue in
            [
                "name": .string(adapter.name), "artifact": .string(adapter.artifact.identity),
                "scale": .number(adapter.scale),
            ]
        }
        var parts: [String: JSONValue] = [
            "engine": .string(engine),
            "adapters": .array(adapterValues),
            "options": .object(options),
            "threads": .integer(Int64(threads)),
        ]
        // Left out where they are not given, so that keys are what they were before there were any.
        parts["artifact"] = artifact.map { .string($0.identity) }
        parts["upstreams"] = upstreams?.json
        parts["accelerator"] = accelerator.map { .string($0) }
        self.key = InstanceKey(Digest(canonical: .object(parts)))
    }

    /// Every file that loading it needs.
    package var artifacts: [Artifact] {
        [self.artifact].compactMap(\.self) + self.adapters.map(\.artifact)
    }

    /// Where it comes from, for people: the path of its weights, or the addresses of its upstreams.
    package var origin: String { self.artifact?.path ?? self.upstreams?.words ?? self.model.description }
}
