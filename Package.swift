// swift-tools-version: 6.2

import PackageDescription

// One target per room. The edges below are the whole import graph: a room imports what its row names and nothing
// else, and `swift build --explicit-target-dependency-import-check error` refuses the rest. `scripts/lint` checks the
// same table against the `import` lines, since the compiler's check misses re-exported modules.

// Argument parsing, help texts and shell completion for the `martlet` verbs.
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
// HTTP client with pooling and Unix-socket URLs: upstreams, and the admin API for the CLI, are asked through it.
let asyncHTTPClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
// SHA-256 for digests, revisions and the audit chain.
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
// SQLite with migrations, WAL and typed queries.
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
// SQLite's own C interface, where tests put a disk that fails under it.
let sqlite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")
// HTTP server and router.
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
// Hummingbird's connections, where a client that hangs up is noticed.
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
// Drives Hummingbird routes in tests without a hand-made client.
let hummingbirdTesting: Target.Dependency = .product(name: "HummingbirdTesting", package: "hummingbird")
// Names of header fields, methods and statuses.
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
// Structured, levelled logging behind one API.
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
// Logic-less templates: the language of prompts.
let mustache: Target.Dependency = .product(name: "Mustache", package: "swift-mustache")
// Queues that are cheap at both ends.
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
// Maps that share what two versions of them have in common.
let hashTrees: Target.Dependency = .product(name: "HashTreeCollections", package: "swift-collections")
// Starts and stops long-running parts in order, and turns signals into graceful shutdown.
let serviceLifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
// The names of the signals that stop it.
let unixSignals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
// The HTTP body types that Hummingbird and async-http-client share.
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
// HTTP methods and headers, as async-http-client takes them.
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
// The parts of a request and of an answer as they pass through Hummingbird's connections.
let nioHTTPTypes: Target.Dependency = .product(name: "NIOHTTPTypes", package: "swift-nio-extras")
// A connection without a network, and an event loop whose time tests move by hand.
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
// Connections without anything around them: load is generated over these, and tests
// have servers that misbehave.
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
// The same connections where the other side speaks TLS.
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
// Gil Tene's histogram, which keeps three digits of every latency in a few kilobytes.
let histogram: Target.Dependency = .product(name: "Histogram", package: "hdrhistogram-swift")

let package = Package(
    name: "martlet",
    products: [
        .executable(name: "martlet", targets: ["martlet"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.3.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.10.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.33.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // Layer 4: the executable wires everything and decides nothing.
        .executableTarget(
            name: "martlet",
            dependencies: [
                "Connectors", "Controller", "Gateway", "Commands", "GitSource", "ManifestYAML", "StateStore", "Serving",
                "Engines", "Retrieval", "Planning", "Schema", logging, serviceLifecycle, unixSignals,
            ]
        ),

        // Layer 3: the three doors. They never import each other.
        .target(
            name: "Controller",
            dependencies: ["Planning", "ManifestYAML", "Schema", logging, serviceLifecycle]
        ),
        .target(
            name: "Gateway",
            dependencies: [
                "Serving", "Planning", "Schema", hummingbird, hummingbirdCore, httpTypes, logging, nioCore,
                nioHTTPTypes, serviceLifecycle,
            ]
        ),
        .target(
            name: "Commands",
            dependencies: [
                "Planning", "ManifestYAML", "Schema", argumentParser, asyncHTTPClient, histogram, nioCore, nioHTTP1,
                nioPosix, nioSSL,
            ]
        ),

        // Layer 2: adapters and runtimes behind the ports of Planning.
        .target(name: "GitSource", dependencies: ["Planning", "Subprocess", "Schema", "CLibGit2"]),
        .target(name: "ManifestYAML", dependencies: ["Planning", "Schema", "CLibYAML"]),
        .target(name: "StateStore", dependencies: ["Planning", "Schema", grdb]),
        .target(name: "Serving", dependencies: ["Planning", "Schema", deque, hashTrees, logging, mustache]),
        // Documents and rows that chains look things up in.
        .target(name: "Retrieval", dependencies: ["Planning", "Schema", "CKernels", grdb]),
        // Servers elsewhere answer over HTTP.
        .target(
            name: "Engines",
            dependencies: [
                "Planning", "Subprocess", "Schema", "CEngine", asyncHTTPClient, nioCore, nioHTTP1, nioPosix,
            ]
        ),
        // What chains call outside of their models: servers elsewhere, and programs in sandboxed children.
        .target(
            name: "Connectors",
            dependencies: ["Planning", "Subprocess", "Schema", asyncHTTPClient, logging, nioCore, nioHTTP1, nioPosix]
        ),

        // Layer 1: the heart. Pure decisions and the ports that the shells fill in.
        .target(name: "Planning", dependencies: ["Schema"]),
        // Work that may hang, crash or eat memory, in a child of the same executable or in a sandbox.
        .target(name: "Subprocess", dependencies: ["CSandbox", "Schema"]),

        // Layer 0: what a manifest may say, and the system libraries behind one module each.
        .target(name: "Schema", dependencies: [crypto]),
        .systemLibrary(
            name: "CLibGit2",
            pkgConfig: "libgit2",
            providers: [.apt(["libgit2-dev"])]
        ),
        .systemLibrary(
            name: "CLibYAML",
            pkgConfig: "yaml-0.1",
            providers: [.apt(["libyaml-dev"])]
        ),
        .systemLibrary(name: "CEngine"),
        // What has to happen between the birth of a child and its program, where no Swift can run.
        .target(name: "CSandbox"),
        // Loops over vectors that need more than the SSE2 that every x86-64 machine has, chosen at run time.
        .target(name: "CKernels"),

        // Never shipped: clocks, scripted engines, temporary repositories and the compatibility suites.
        .target(
            name: "TestSupport",
            dependencies: ["Planning", "Schema", logging, nioCore, nioPosix],
            path: "Tests/TestSupport",
            exclude: ["Servers"]
        ),
        .testTarget(name: "SchemaTests", dependencies: ["Schema"]),
        .testTarget(
            name: "PlanningTests",
            dependencies: ["Planning", "Schema", "TestSupport"]
        ),
        .testTarget(
            name: "ManifestYAMLTests",
            dependencies: ["ManifestYAML", "Planning", "Schema", "TestSupport"],
            exclude: ["Fixtures"]
        ),
        .testTarget(
            name: "GitSourceTests",
            dependencies: ["FetchTestChild", "GitSource", "Planning", "Schema", "TestSupport"]
        ),
        // The child that the fetches' tests start.
        .executableTarget(
            name: "FetchTestChild",
            dependencies: ["GitSource"],
            path: "Tests/FetchTestChild"
        ),
        .testTarget(
            name: "StateStoreTests",
            dependencies: ["StateStore", "Planning", "Schema", "TestSupport", grdb, sqlite]
        ),
        // Times searches; `Benchmarks/retrieval/compare.py` runs it.
        .executableTarget(
            name: "RetrievalBenchmark",
            dependencies: ["Retrieval", "Planning", "Schema"],
            path: "Benchmarks/retrieval",
            exclude: ["compare.py"]
        ),
        .testTarget(
            name: "RetrievalTests",
            dependencies: ["Retrieval", "Planning", "Schema", "TestSupport", grdb]
        ),
        .testTarget(
            name: "EnginesTests",
            dependencies: [
                "Engines", "Planning", "ProbeTestChild", "Schema", "TestSupport", nioCore, nioEmbedded, nioHTTP1,
            ],
            exclude: ["Fixtures"]
        ),
        // The child that the probe's tests start.
        .executableTarget(
            name: "ProbeTestChild",
            dependencies: ["Engines"],
            path: "Tests/ProbeTestChild"
        ),
        .testTarget(
            name: "ConnectorsTests",
            dependencies: ["Connectors", "Planning", "Schema", "Subprocess", "TestSupport"]
        ),
        .testTarget(
            name: "ServingTests",
            dependencies: ["Engines", "Serving", "Planning", "Schema", "TestSupport", logging]
        ),
        .testTarget(
            name: "ControllerTests",
            dependencies: ["Controller", "GitSource", "ManifestYAML", "Planning", "Schema", "TestSupport", logging]
        ),
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "Gateway", "Serving", "Planning", "Schema", "TestSupport", hummingbird, hummingbirdTesting, httpTypes,
                logging, nioCore, nioEmbedded, nioHTTPTypes, serviceLifecycle,
            ]
        ),
        .testTarget(
            name: "CommandsTests",
            dependencies: ["Commands", "Planning", "ManifestYAML", "Schema", "TestSupport", argumentParser]
        ),
        // End to end: the built executable, real git repositories, the example models.
        .testTarget(
            name: "MartletTests",
            dependencies: ["martlet", "Planning", "Schema", "TestSupport", asyncHTTPClient, nioCore, nioHTTP1]
        ),
    ],
    swiftLanguageModes: [.v6]
)

for target in package.targets where target.type != .system {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .enableUpcomingFeature("InferIsolatedConformances"),
    ]
}
