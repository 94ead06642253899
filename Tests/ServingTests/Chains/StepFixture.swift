import Planning
import Schema
import Synchronization
import TestSupport

@testable import Serving

/// A revision whose chains may use every type of step, on doubles of what they reach.
struct StepFixture {
    let model: any CompletionModel
    let caller = ScriptedCaller()
    let clock = ManualClock()
    var recorded: RecordedEffects?

    init(_ model: any CompletionModel = ScriptedCompletion { request, _ in .says([request.lastMessage.uppercased()]) })
    {
        self.model = model
    }

    /// What a run came to.
    struct Run: Sendable {
        var output: JSONValue?
        var error: CallError?
        var events: [ChainEvent]
        var records: [StepRecord]
    }

    static let base = ResourceIdentity(.knowledgeBase, namespace: "default", name: "policies")
    static let table = ResourceIdentity(.featureTable, namespace: "default", name: "orders")

    /// Runs the chain `main`.
    ///
    /// - Parameter others: more chains, by name.
    func run(
        _ steps: [JSONValue],
        output: JSONValue? = nil,
        limits: JSONValue? = nil,
        others: [String: [JSONValue]] = [:],
        input: JSONValue = ["m": "hi", "id": "o-1"]
    ) async throws -> Run {
        let runner = try self.runner(steps, output: output, limits: limits, others: others)
        let trace = RequestTrace(Stopwatch(self.clock))
        let events = Mutex<[ChainEvent]>([])
        let resources = RunnerResources(
            models: [Specs.model: self.model],
            knowledge: [Self.base: ScriptedIndex()],
            tables: [Self.table: ScriptedRows()],
            http: self.caller,
            programs: self.caller,
            recorded: self.recorded
        )
        var error: CallError?
        do {
            try await runner.run(input, resources: resources, begin: trace.begin) { update in
                events.withLock { $0.append(update.event) }
            }
        } catch let failure as CallError {
            error = failure
        }
        let told = events.withLock { $0 }
        guard case .finished(let output, _)? = told.last else {
            return Run(error: error, events: told, records: trace.records)
        }
        return Run(output: output, events: told, records: trace.records)
    }

    func runner(
        _ steps: [JSONValue],
        output: JSONValue? = nil,
        limits: JSONValue? = nil,
        others: [String: [JSONValue]] = [:]
    ) throws -> ChainRunner {
        var main = try Specs.chain(steps: steps, output: output)
        main.limits = try limits.map { try Specs.decode($0) }
        let chains = try [self.chain("main", main)] + others.map { try self.chain($0, Specs.chain(steps: $1)) }
        var graph = RevisionGraph(
            variant: VariantID(namespace: "default", endpoint: "e"),
            revision: Revision(Digest(of: [1])),
            commit: "c1",
            serve: try Specs.decode(["chain": "main"]),
            chat: nil,
            chains: chains,
            templates: [try Specs.template()],
            models: [
                RevisionGraph.Model(
                    identity: Specs.model,
                    digest: Digest(of: [2]),
                    instance: InstanceSpec(model: Specs.model, engine: "scripted", artifact: nil)
                )
            ]
        )
        graph.knowledge = [
            RevisionGraph.KnowledgeBase(
                identity: Self.base,
                digest: Digest(of: [3]),
                spec: try Specs.decode([
                    "documents": [], "chunking": ["by": "tokens", "size": 9, "overlap": 0],
                    "index": ["type": "lexical", "metric": "cosine"],
                ]),
                documents: []
            )
        ]
        graph.tables = [
            RevisionGraph.FeatureTable(
                identity: Self.table,
                digest: Digest(of: [4]),
                spec: try Specs.decode(["dataset": "orders", "key": ["id"], "columns": [:]]),
                artifact: Artifact(location: .file(path: "/orders", sha256: Digest(of: [5])), size: nil),
                format: .jsonl
            )
        ]
        graph.programs = chains.flatMap { chain in
            chain.spec.programs.map { field, program in
                RevisionGraph.Program(
                    identity: chain.identity,
                    field: field.description,
                    files: FoundFiles(path: program.path, isFolder: false, files: [], isSettled: true),
                    command: program.command,
                    memory: program.memory,
                    cpu: program.cpu,
                    timeout: program.timeout
                )
            }
        }
        var compiler = StepCompiler(graph, clock: self.clock)
        return try compiler.chain(chains[0])
    }

    private func chain(_ name: String, _ spec: ChainSpec) throws -> RevisionGraph.Chain {
        let identity = ResourceIdentity(.chain, namespace: "default", name: name)
        return RevisionGraph.Chain(identity: identity, digest: Digest(of: Array(name.utf8)), spec: spec)
    }

    /// An `http` action with what it leaves out.
    static func http(_ call: JSONValue = [:]) -> JSONValue {
        let defaults: [String: JSONValue] = [
            "url": "https://api.example/orders", "method": "POST", "headers": [:], "query": [:], "effects": "write",
            "allowPrivate": false,
        ]
        return .object(defaults.merging(call.object ?? [:]) { $1 })
    }

    /// A `program` action with what it leaves out.
    static func program(_ path: String, effects: String = "write") -> JSONValue {
        [
            "path": .string(path), "command": [], "memory": "256Mi", "cpu": 1, "timeout": "10s",
            "effects": .string(effects),
        ]
    }
}

/// Finds one piece, whose text is what was looked for.
struct ScriptedIndex: KnowledgeIndex {
    let digest = Digest(of: [9])

    func search(
        _ query: KnowledgeQuery,
        embed: (_ texts: [String]) async throws -> [[Float]]
    ) async throws -> [Passage] {
        let passage = Passage(
            document: "docs/a.md",
            documentDigest: "git:1",
            start: 0,
            end: 4,
            text: "about \(query.text)",
            score: 1.5
        )
        return Array(repeating: passage, count: query.top)
    }
}

/// Knows one order.
struct ScriptedRows: FeatureRows {
    func row(_ key: [JSONValue], columns: [String]?) async throws -> FeatureRow? {
        guard key == ["o-1"] else { return nil }
        let values: [String: JSONValue] = ["status": "shipped", "days": 2]
        return FeatureRow(values: columns.map { names in values.filter { names.contains($0.key) } } ?? values)
    }
}

/// A server and programs that answer with what they are sent; `fail` fails.
final class ScriptedCaller: HTTPCaller, ProgramCaller {
    private let log = Mutex<[JSONValue]>([])

    /// What was sent, in order.
    var calls: [JSONValue] { self.log.withLock { $0 } }

    func call(_ request: OutboundRequest) async throws -> OutboundAnswer {
        let sent: JSONValue = ["query": .object(request.query), "body": request.body ?? nil]
        self.log.withLock { $0.append(sent) }
        if request.url.hasSuffix("fail") { throw OutboundFailure(.rejected, "https://api.example/fail said 500") }
        return OutboundAnswer(status: 200, body: ["echo": sent])
    }

    func prepare(_ program: RevisionGraph.Program) async throws {}

    func call(_ program: RevisionGraph.Program, input: JSONValue, timeout: Duration) async throws -> JSONValue {
        self.log.withLock { $0.append(input) }
        return ["path": .string(program.files.path), "input": input]
    }

    func prune(keeping graphs: [RevisionGraph]) async {}
}
