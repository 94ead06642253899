internal import Foundation
internal import HashTreeCollections
internal import Planning
internal import Schema
internal import Synchronization

/// Where requests go, as an immutable value: a request takes it once and decides everything by it.
struct RoutingSnapshot: Sendable {
    /// A revision that takes a share of a variant's requests.
    struct Share: Sendable {
        /// 1 to 100.
        var weight: Int
        var runner: Runner
        /// When the revision began to serve.
        var since: Timestamp
    }

    /// An endpoint with its settings in force.
    struct Endpoint: Sendable {
        var settings: EndpointSettings
        /// By tenant; the default variant has none.
        var variants: [String?: [Share]]
    }

    /// Where one request goes.
    struct Route: Sendable {
        var runner: Runner
        var settings: EndpointSettings
        var commit: ObjectID

        /// What an answer from there is stamped with.
        var stamp: AnswerStamp {
            let graph = self.runner.graph
            return AnswerStamp(
                variant: graph.variant,
                revision: graph.revision,
                commit: self.commit,
                replayed: graph.models.contains { $0.instance.engine == "replay" }
            )
        }
    }

    /// Grows with every change.
    var version = 0
    /// What answers are stamped with.
    var commit: ObjectID = "" {
        didSet { self.commits = CommitSet(id: self.commit)?.commits ?? [:] }
    }
    /// The same for each of several sources, by name; empty where there is one.
    var commits: [String: ObjectID] = [:]
    /// A persistent map: one endpoint is replaced without a copy of the others, while requests hold older snapshots.
    private var endpoints: TreeDictionary<EndpointName, Endpoint> = [:]
    /// Shared by all snapshots that know the same endpoints.
    private var sortedNames = SortedNames()

    /// Knows no endpoint yet.
    init(commit: ObjectID = "") {
        self.commit = commit
    }

    /// An endpoint by its name; nil: there is none.
    subscript(_ name: EndpointName) -> Endpoint? {
        get { self.endpoints[name] }
        set {
            let count = self.endpoints.count
            self.endpoints[name] = newValue
            if self.endpoints.count != count { self.sortedNames = SortedNames() }
        }
    }

    /// The names of all endpoints, sorted.
    var names: [EndpointName] { self.sortedNames.names(of: self.endpoints) }

    /// Where a caller's request goes. Throws `endpointNotFound`, the same for an unknown and a forbidden endpoint, and
    /// `unavailable` when nothing serves.
    ///
    /// - Parameters:
    ///   - requestID: decides the side of a split where nothing else makes requests stick together.
    ///   - revision: the one that the caller pins, by its first hex digits; then this throws `revisionNotFound` too.
    func route(
        to name: EndpointName,
        for caller: Caller,
        requestID: String,
        revision: String? = nil
    ) throws(CallError) -> Route {
        let endpoint = try self.endpoint(name, for: caller)
        let key = endpoint.settings.rollout.stickyBy.key(of: caller, requestID: requestID)
        let shares = endpoint.shares(for: caller)
        let pinned = try revision.map { digits throws(CallError) in
            try RoutingSnapshot.pinned(digits, among: shares, of: name)
        }
        guard let share = pinned ?? RoutingSnapshot.choose(among: shares, key: key) else {
            throw CallError.notServing(name)
        }
        return Route(runner: share.runner, settings: endpoint.settings, commit: self.commit(of: share.runner.graph))
    }

    /// The share of the revision that begins with these digits. Throws `revisionNotFound`.
    static func pinned(_ digits: String, among shares: [Share], of name: EndpointName) throws(CallError) -> Share {
        let found = shares.filter { !digits.isEmpty && $0.runner.key.revision.digest.hex.hasPrefix(digits) }
        if found.count == 1 { return found[0] }
        let serving = shares.map(\.runner.key.revision.description).sorted().joined(separator: ", ")
        let problem = found.isEmpty ? "has no version '\(digits)'" : "has several versions '\(digits)'"
        throw CallError(
            .revisionNotFound,
            "endpoint '\(name.name)' \(problem); "
                + (serving.isEmpty ? "none serves" : shares.count == 1 ? "\(serving) serves" : "\(serving) serve"),
            parameter: "version"
        )
    }

    /// The caller's shares of an endpoint, the largest first. Throws `endpointNotFound`.
    func shares(of name: EndpointName, for caller: Caller) throws(CallError) -> [Share] {
        try self.endpoint(name, for: caller).shares(for: caller).sorted { $0.weight > $1.weight }
    }

    /// The commit that the endpoint's own source is at; that of the graph where the source cannot be read.
    private func commit(of graph: RevisionGraph) -> ObjectID {
        self.commits.isEmpty ? self.commit : graph.source.flatMap { self.commits[$0] } ?? graph.commit
    }

    /// The endpoint as a caller sees it. Throws what ``route(to:for:requestID:)`` throws.
    func listing(of name: EndpointName, for caller: Caller) throws(CallError) -> EndpointListing {
        let endpoint = try self.endpoint(name, for: caller)
        guard let share = endpoint.shares(for: caller).max(by: { $0.weight < $1.weight }) else {
            throw CallError.notServing(name)
        }
        return EndpointListing(
            name: name,
            revision: share.runner.key.revision,
            since: share.since,
            maxBodyBytes: endpoint.settings.limits.maxBodyBytes.bytes
        )
    }

    /// The endpoint, if there is one and the caller may come in. Before a first commit stands here nobody can tell.
    private func endpoint(_ name: EndpointName, for caller: Caller) throws(CallError) -> Endpoint {
        guard self.commit != "" || !self.endpoints.isEmpty else {
            throw CallError(.unavailable, "the server has only just started; try again later", retryAfter: 1)
        }
        guard let endpoint = self.endpoints[name], endpoint.settings.admits(caller) else {
            throw CallError(.endpointNotFound, "there is no endpoint '\(name.name)'", parameter: "model")
        }
        return endpoint
    }

    /// Requests with the same key stay on the same side of a split.
    ///
    /// Weighted rendezvous hashing: every share scores by its weight and a hash of key and revision, the best one wins.
    ///
    /// Over keys the shares get what their weights say, and a growing weight only takes keys over, it gives none away.
    static func choose(among shares: [Share], key: String) -> Share? {
        guard shares.count > 1 else { return shares.first }
        func score(_ share: Share) -> Double {
            let hash = StableHash.of(key, share.runner.key.revision.digest.hex)
            let fraction = (Double(hash >> 11) + 0.5) / Double(1 << 53)
            return -Double(share.weight) / log(fraction)
        }
        return shares.max { score($0) < score($1) }
    }
}

extension RoutingSnapshot {
    /// The names of endpoints, sorted when somebody first asks, however often after that.
    private final class SortedNames: Sendable {
        private let names = Mutex<[EndpointName]?>(nil)

        func names(of endpoints: TreeDictionary<EndpointName, Endpoint>) -> [EndpointName] {
            self.names.withLock { names in
                let sorted = names ?? endpoints.keys.sorted()
                names = sorted
                return sorted
            }
        }
    }
}

extension CallError {
    /// The endpoint is there, and no revision of it answers.
    static func notServing(_ name: EndpointName) -> CallError {
        CallError(.unavailable, "endpoint '\(name.name)' is not serving yet; try again later", retryAfter: 1)
    }
}

extension RoutingSnapshot.Endpoint {
    /// The caller's own variant where it has one, else the default one.
    fileprivate func shares(for caller: Caller) -> [RoutingSnapshot.Share] {
        switch caller {
        case .anonymous: self.variants[String?.none] ?? []
        case .tenant(let name): self.variants[name] ?? self.variants[String?.none] ?? []
        }
    }
}

extension EndpointSettings {
    /// Whether a caller may come in; without `access`, nobody may.
    fileprivate func admits(_ caller: Caller) -> Bool {
        guard let access = self.access else { return false }
        switch caller {
        case .anonymous: return access.anonymous
        case .tenant(let name): return access.anonymous || access.tenants.contains(name)
        }
    }
}

extension EndpointSpec.Rollout.StickyBy {
    /// What keeps requests on one side of a split. Calls carry no session yet, so each is a session of its own.
    fileprivate func key(of caller: Caller, requestID: String) -> String {
        switch (self, caller) {
        case (.tenant, .tenant(let name)): name
        case (.tenant, .anonymous), (.session, _), (.none, _): requestID
        }
    }
}

/// A hash that is the same in every process: FNV-1a over 64 bits, with a final mix so that all bits count.
enum StableHash {
    static func of(_ parts: String...) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for part in parts {
            for byte in part.utf8 {
                hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
            }
            // No byte of UTF-8: keeps ("ab", "c") apart from ("a", "bc").
            hash = (hash ^ 0xff) &* 0x100_0000_01b3
        }
        hash = (hash ^ (hash >> 30)) &* 0xbf58_476d_1ce4_e5b9
        hash = (hash ^ (hash >> 27)) &* 0x94d0_49bb_1331_11eb
        return hash ^ (hash >> 31)
    }
}
