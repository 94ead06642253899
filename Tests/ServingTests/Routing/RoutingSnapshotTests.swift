import Planning
import Schema
import TestSupport
import Testing

@testable import Serving

struct RoutingSnapshotTests {
    private static func runner(_ number: Int, tenant: String? = nil) throws -> Runner {
        let variant = VariantID(namespace: "default", endpoint: "desk", tenant: tenant)
        return Runner(
            try EndpointFixture.modelGraph(number, variant: variant),
            capacity: 1,
            clock: ManualClock(),
            lease: { _ in LeasedModels(models: [:], release: {}) },
            onIdle: {}
        )
    }

    private static func share(_ number: Int, weight: Int, tenant: String? = nil) throws -> RoutingSnapshot.Share {
        RoutingSnapshot.Share(
            weight: weight,
            runner: try self.runner(number, tenant: tenant),
            since: Timestamp(milliseconds: Int64(number))
        )
    }

    private func snapshot(access: JSONValue) throws -> RoutingSnapshot {
        var snapshot = RoutingSnapshot()
        snapshot[EndpointFixture.name] = RoutingSnapshot.Endpoint(
            settings: try Specs.settings(["access": access]),
            variants: [nil: [try Self.share(1, weight: 100)], "acme": [try Self.share(2, weight: 100, tenant: "acme")]]
        )
        return snapshot
    }

    @Test(
        "access decides who comes in, and a tenant's own variant who answers",
        arguments: [
            (["anonymous": true, "tenants": []], .anonymous, 1),
            (["anonymous": true, "tenants": []], .tenant("acme"), 2),
            (["anonymous": true, "tenants": []], .tenant("globex"), 1),
            (["anonymous": false, "tenants": ["acme"]], .anonymous, nil),
            (["anonymous": false, "tenants": ["acme"]], .tenant("acme"), 2),
            (["anonymous": false, "tenants": ["acme"]], .tenant("globex"), nil), (nil, .anonymous, nil),
            (nil, .tenant("acme"), nil),
        ] as [(JSONValue, Caller, Int?)]
    )
    func access(access: JSONValue, caller: Caller, number: Int?) throws {
        let snapshot = try self.snapshot(access: access)
        #expect(
            (try? snapshot.listing(of: EndpointFixture.name, for: caller))?.revision
                == number.map(EndpointFixture.revision)
        )
        if let number {
            let route = try snapshot.route(to: EndpointFixture.name, for: caller, requestID: "k")
            #expect(route.runner.key.revision == EndpointFixture.revision(number))
            return
        }
        // Forbidden and unknown answer alike, to the word.
        let forbidden = #expect(throws: CallError.self) {
            try snapshot.route(to: EndpointFixture.name, for: caller, requestID: "k")
        }
        let unknown = #expect(throws: CallError.self) {
            try RoutingSnapshot(commit: "c1").route(to: EndpointFixture.name, for: caller, requestID: "k")
        }
        #expect(forbidden == unknown)
        #expect(forbidden?.code == .endpointNotFound)
    }

    @Test("before a first commit was read, every name is unavailable, and none unknown")
    func nothingRead() {
        let error = #expect(throws: CallError.self) {
            try RoutingSnapshot().listing(of: EndpointFixture.name, for: .anonymous)
        }
        #expect(error?.code == .unavailable)
        #expect(error?.retryAfter == 1)
    }

    @Test("an endpoint without a serving revision is unavailable, and not listed")
    func nothingServes() throws {
        var snapshot = RoutingSnapshot()
        snapshot[EndpointFixture.name] = .init(settings: try Specs.settings(), variants: [:])
        let error = #expect(throws: CallError.self) {
            try snapshot.route(to: EndpointFixture.name, for: .anonymous, requestID: "k")
        }
        #expect(error?.code == .unavailable)
        let unlisted = #expect(throws: CallError.self) {
            try snapshot.listing(of: EndpointFixture.name, for: .anonymous)
        }
        #expect(unlisted == error)
    }

    @Test("A version that does not serve is refused with those that do", arguments: [1, 2])
    func versions(count: Int) throws {
        let shares = try (1...count).map { try Self.share($0, weight: 100 / count) }
        let error = #expect(throws: CallError.self) {
            try RoutingSnapshot.pinned("zz", among: shares, of: EndpointFixture.name)
        }
        let serving = shares.map(\.runner.key.revision.description).sorted().joined(separator: ", ")
        #expect(error?.code == .revisionNotFound)
        #expect(error?.message.hasSuffix("has no version 'zz'; \(serving) \(count == 1 ? "serves" : "serve")") == true)
    }

    @Test("The names are sorted whatever comes and goes, and those of an older snapshot stay as they were")
    func names() throws {
        let names = [("shop", "b"), ("shop", "a"), ("desk", "z")].map { EndpointName(namespace: $0, name: $1) }
        let endpoint = RoutingSnapshot.Endpoint(settings: try Specs.settings(), variants: [:])
        var snapshot = RoutingSnapshot()
        #expect(snapshot.names.isEmpty)
        for name in names.prefix(2) { snapshot[name] = endpoint }
        #expect(snapshot.names == [names[1], names[0]])
        let older = snapshot
        snapshot[names[0]] = RoutingSnapshot.Endpoint(settings: endpoint.settings, variants: [nil: []])
        snapshot[names[2]] = endpoint
        #expect(snapshot.names == [names[2], names[1], names[0]])
        snapshot[names[1]] = nil
        #expect(snapshot.names == [names[2], names[0]])
        #expect(older.names == [names[1], names[0]])
    }

    @Test("shares get what their weights say, within four standard deviations", arguments: [5, 30, 50, 95])
    func weights(weight: Int) throws {
        let shares = [try Self.share(1, weight: 100 - weight), try Self.share(2, weight: weight)]
        let second = EndpointFixture.revision(2)
        let hits = (0..<10_000).count {
            RoutingSnapshot.choose(among: shares, key: "key \($0)")?.runner.key.revision == second
        }
        let share = Double(weight) / 100
        let deviation = (10_000 * share * (1 - share)).squareRoot()
        #expect(abs(Double(hits) - 10_000 * share) < 4 * deviation)
    }

    @Test("a growing weight takes keys over and gives none away, in whatever order the shares stand")
    func monotone() throws {
        let (old, new) = (try Self.share(1, weight: 1), try Self.share(2, weight: 1))
        func side(_ key: Int, weight: Int, swapped: Bool = false) -> Revision? {
            var (old, new) = (old, new)
            (old.weight, new.weight) = (100 - weight, weight)
            return RoutingSnapshot.choose(among: swapped ? [new, old] : [old, new], key: "\(key)")?.runner.key.revision
        }
        let second = EndpointFixture.revision(2)
        for key in 0..<500 {
            let sides = [5, 20, 50, 80].map { side(key, weight: $0) == second }
            #expect(sides == sides.sorted { !$0 && $1 })
            #expect(side(key, weight: 50) == side(key, weight: 50, swapped: true))
        }
    }

    @Test("a tenant stays on its side of a split where the rollout says so, a request alone does not")
    func sticky() throws {
        func sides(_ stickyBy: JSONValue) throws -> Int {
            let settings = try Specs.settings([
                "rollout": [
                    "strategy": "immediate", "steps": [], "stickyBy": stickyBy, "progressDeadline": "1h",
                    "drainTimeout": "30s", "onFailure": "rollback", "swap": false,
                ]
            ])
            var snapshot = RoutingSnapshot()
            snapshot[EndpointFixture.name] = RoutingSnapshot.Endpoint(
                settings: settings,
                variants: [nil: [try Self.share(1, weight: 50), try Self.share(2, weight: 50)]]
            )
            let revisions = try (0..<50).map { number in
                try snapshot.route(to: EndpointFixture.name, for: .tenant("acme"), requestID: "\(number)")
                    .runner.key.revision
            }
            return Set(revisions).count
        }
        #expect(try sides("tenant") == 1)
        #expect(try sides("none") == 2)
    }

    @Test("hashes are the same in every process and version")
    func golden() {
        #expect(StableHash.of("a") == 0x193f_1020_af07_6db5)
        #expect(StableHash.of("ab", "c") != StableHash.of("a", "bc"))
    }
}
