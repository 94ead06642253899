import Logging
import Planning
import Schema
import TestSupport
import Testing

@testable import Serving

/// An engine whose model answers whole requests by a script.
struct CompletionEngine: InferenceEngine {
    let name = "scripted"
    let version = "1"
    let model: ScriptedCompletion

    func problems(inOptions options: [String: JSONValue]) -> [OptionProblem] { [] }
    func open(_ opening: ModelOpening) throws -> LoadedModel { .completion(self.model) }
}

/// A catalog of one engine, whatever it is asked for.
struct OneEngine: EngineCatalog {
    let engine: any InferenceEngine

    func reports() -> [EngineReport] { [] }
    func engine(named name: String) throws -> any InferenceEngine { self.engine }
}

/// A server with one model `m` and what it takes to deploy revisions of the endpoint `desk` on it.
struct EndpointFixture: Sendable {
    static let variant = VariantID(namespace: "default", endpoint: "desk")
    static let name = EndpointName(namespace: "default", name: "desk")
    static let instance = InstanceSpec(
        model: Specs.model,
        engine: "scripted",
        artifact: Artifact(location: .repository(path: "m.gguf", blob: "b"), size: 1)
    )

    let clock = ManualClock()
    let wallClock = ManualWallClock()
    let server: InferenceServer

    private init(
        _ engine: any InferenceEngine,
        unreadLimit: Int,
        logger: Logger,
        lookups: (any LookupStore)?,
        records: (any RecordSink)?
    ) {
        self.server = InferenceServer(
            engines: OneEngine(engine: engine),
            clock: self.clock,
            wallClock: self.wallClock,
            logger: logger,
            lookups: lookups,
            unreadLimit: unreadLimit,
            records: records
        )
    }

    /// Runs a test against a server with the model loaded, and ends the server afterwards.
    static func run(
        _ engine: any InferenceEngine,
        unreadLimit: Int = 1 << 20,
        logger: Logger = Logger(label: "test"),
        lookups: (any LookupStore)? = nil,
        records: (any RecordSink)? = nil,
        _ test: @escaping @Sendable (EndpointFixture) async throws -> Void
    ) async throws {
        let fixture = EndpointFixture(
            engine,
            unreadLimit: unreadLimit,
            logger: logger,
            lookups: lookups,
            records: records
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await fixture.server.run() }
            try await fixture.server.load(self.instance, opening: ModelOpening(file: "/m.gguf"))
            await fixture.server.setCommit("c1")
            try await test(fixture)
            group.cancelAll()
        }
    }

    /// The same with a model that answers by a script.
    static func run(
        _ script: @escaping @Sendable (CompletionRequest, Int) -> ScriptedCompletion.Reply,
        records: (any RecordSink)? = nil,
        _ test: @escaping @Sendable (EndpointFixture, ScriptedCompletion) async throws -> Void
    ) async throws {
        let model = ScriptedCompletion(script)
        try await self.run(CompletionEngine(model: model), records: records) { try await test($0, model) }
    }

    /// A revision that serves the bare model.
    static func modelGraph(_ number: Int = 0, variant: VariantID = EndpointFixture.variant) throws -> RevisionGraph {
        try self.graph(number, variant: variant, serve: ["model": "m"])
    }

    /// A revision that serves a bare model which its first request has loaded.
    static func lazyGraph() throws -> RevisionGraph {
        var graph = try self.modelGraph()
        graph.models[0].instance = InstanceSpec(
            model: Specs.model,
            engine: "scripted",
            artifact: Artifact(location: .repository(path: "lazy.gguf", blob: "c"), size: 1),
            isLazy: true
        )
        return graph
    }

    /// A revision that serves a chain of one step, whose template puts `prefix` before the message.
    static func promptGraph(_ number: Int = 0, prefix: String = "") throws -> RevisionGraph {
        try self.chainGraph(
            number,
            steps: [Specs.prompt("a", "$.input.message")],
            content: "\(prefix){{message}}"
        )
    }

    /// A revision that serves a chain.
    static func chainGraph(
        _ number: Int = 0,
        steps: [JSONValue],
        output: JSONValue? = nil,
        content: String = "{{message}}",
        chat: JSONValue? = nil
    ) throws -> RevisionGraph {
        let input: JSONValue = [
            "type": "object", "required": ["message"], "properties": ["message": ["type": "string"]],
        ]
        let chain = try Specs.chain(steps: steps, output: output, input: input)
        let template = try Specs.template(messages: [["role": "user", "content": .string(content)]])
        var graph = try self.graph(number, variant: self.variant, serve: ["chain": "c"])
        let identity = ResourceIdentity(.chain, namespace: "default", name: "c")
        graph.chains = [RevisionGraph.Chain(identity: identity, digest: Digest(of: [1]), spec: chain)]
        graph.templates = [template]
        graph.chat = try chat.map { try Specs.decode($0) }
        return graph
    }

    private static func graph(_ number: Int, variant: VariantID, serve: JSONValue) throws -> RevisionGraph {
        RevisionGraph(
            variant: variant,
            revision: self.revision(number),
            commit: "c1",
            serve: try Specs.decode(serve),
            chat: nil,
            chains: [],
            templates: [],
            models: [RevisionGraph.Model(identity: Specs.model, digest: Digest(of: [2]), instance: self.instance)]
        )
    }

    static func revision(_ number: Int) -> Revision {
        Revision(Digest(of: "revision \(number)".utf8))
    }

    /// Starts a revision and sends it all traffic, as the controller would.
    func deploy(_ graph: RevisionGraph, replicas: Int = 1, settings: JSONValue = [:]) async throws {
        try await self.bring(graph, replicas: replicas)
        await self.server.apply(try Specs.settings(settings), to: graph.variant.resource)
    }

    /// Starts a revision and sends it all traffic; settings stay.
    func bring(_ graph: RevisionGraph, replicas: Int = 1) async throws {
        try await self.server.start(graph, replicas: replicas)
        if graph.hasWarmUps { try await self.server.warmUp(RunnerKey(graph.variant, graph.revision)) }
        await self.server.setTraffic([TrafficShare(revision: graph.revision, weight: 100)], for: graph.variant)
    }

    func call<Body: Sendable>(
        _ body: Body,
        as caller: Caller = .anonymous,
        endpoint: EndpointName = EndpointFixture.name
    ) -> EndpointCall<Body> {
        EndpointCall(endpoint: endpoint, caller: caller, requestID: "r", body: body)
    }

    /// Asks one question and returns who answered, the whole text, and why it ended.
    func ask(
        _ message: String,
        as caller: Caller = .anonymous
    ) async throws -> (stamp: AnswerStamp, text: String, reason: FinishReason?) {
        let request = TextRequest(prompt: .chat([ChatMessage(role: "user", content: message)]))
        let answer = try await self.server.text(self.call(request, as: caller))
        var (text, reason) = ("", FinishReason?.none)
        for try await event in answer.events {
            switch event {
            case .text(let piece, _): text += piece
            case .toolCall: break
            case .finished(let why, _): reason = why
            }
        }
        return (answer.stamp, text, reason)
    }
}
