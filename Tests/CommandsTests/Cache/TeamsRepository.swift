import Foundation
import Planning
import Schema
import Synchronization
import TestSupport

/// Commits of some teams' manifests that share models, and changes to them as people make them, mistakes included.
struct TeamsRepository {
    private static let teams = ["a", "a-b", "b"]

    var files: [String: String] = [:]

    /// Each team has two prompts, two chains and two endpoints; all share two models.
    init() {
        for number in 0..<2 {
            self.files["shared/m\(number).yaml"] = Self.model("m\(number)", source: "shared/m\(number).jsonl")
            self.files["shared/m\(number).jsonl"] = "{\"default\": true, \"output\": \"\(number)\"}\n"
        }
        for team in Self.teams {
            for number in 0..<2 {
                self.files["\(team)/p\(number).yaml"] = Self.prompt(team, number, "Say \(number).")
                self.files["\(team)/c\(number).yaml"] = Self.chain(team, number, model: "shared/m\(number)")
                self.files["\(team)/e\(number).yaml"] = Self.endpoint(team, number, "{chain: c\(number)}")
            }
        }
    }

    static func model(_ name: String, source: String, _ more: String = "") -> String {
        """
        apiVersion: martlet.dev/v1
        kind: Model
        metadata: {name: \(name), namespace: shared}
        spec: {engine: replay, source: {uri: \(source)}\(more)}

        """
    }

    static func prompt(_ team: String, _ number: Int, _ text: String, _ variable: String = "message") -> String {
        """
        apiVersion: martlet.dev/v1
        kind: PromptTemplate
        metadata: {name: p\(number), namespace: \(team)}
        spec:
          variables: {\(variable): {type: string}}
          messages: [{role: system, content: "\(text)"}, {role: user, content: "{{\(variable)}}"}]

        """
    }

    static func chain(_ team: String, _ number: Int, model: String) -> String {
        """
        apiVersion: martlet.dev/v1
        kind: Chain
        metadata: {name: c\(number), namespace: \(team)}
        spec:
          input: {schema: {type: object, required: [message], properties: {message: {type: string}}}}
          steps:
            - {name: first, prompt: {template: p\(number), model: \(model)}, with: {message: $.input.message}}

        """
    }

    static func endpoint(_ team: String, _ number: Int, _ serve: String, _ more: String = "") -> String {
        """
        apiVersion: martlet.dev/v1
        kind: Endpoint
        metadata: {name: e\(number), namespace: \(team)}
        spec: {serve: \(serve)\(more)}

        """
    }

    static let policy = """
        apiVersion: martlet.dev/v1
        kind: Policy
        metadata: {name: house, namespace: a}
        spec: {limits: {replicas: 3}}

        """

    /// Some endpoints of the team break it.
    static func strictPolicy(_ enforcement: String) -> String {
        """
        apiVersion: martlet.dev/v1
        kind: Policy
        metadata: {name: strict, namespace: b}
        spec: {enforcement: \(enforcement), limits: {replicas: 1}}

        """
    }

    /// Manifests that name no namespace, a policy among them, so that overlays decide, two stages of them, and an endpoint
    /// that only the policy of its stage has to do with.
    mutating func addStages() {
        self.files["base/m.yaml"] = """
            apiVersion: martlet.dev/v1
            kind: Model
            metadata: {name: m}
            spec: {engine: replay, source: {uri: base/m.jsonl}}

            """
        self.files["base/m.jsonl"] = "{\"default\": true, \"output\": \"base\"}\n"
        for name in ["x", "y"] {
            self.files["base/\(name).yaml"] = """
                apiVersion: martlet.dev/v1
                kind: Endpoint
                metadata: {name: \(name)}
                spec: {serve: {model: m}}

                """
        }
        self.files["base/policy.yaml"] = Self.stagedPolicy
        self.files["apps/e0.yaml"] = Self.endpoint(
            "staging",
            0,
            "{model: shared/m0}",
            ", replicas: {min: 2, max: 2}"
        )
        for stage in ["staging", "production"] { self.files["\(stage).yaml"] = Self.stage(stage, replicas: 1) }
    }

    static let stagedPolicy = """
        apiVersion: martlet.dev/v1
        kind: Policy
        metadata: {name: capacity}
        spec: {limits: {replicas: 3}}

        """

    /// A patch of a stage for the policy of the base, which one endpoint of the staging namespace breaks then.
    static func policyPatch(_ enforcement: String) -> String {
        """
            - target: {kind: Policy, name: capacity}
              patch: {spec: {enforcement: \(enforcement), limits: {replicas: 1}}}

        """
    }

    static func stage(_ name: String, replicas: Int, of endpoint: String = "x", base: String = "base") -> String {
        """
        apiVersion: martlet.dev/v1
        kind: Overlay
        metadata: {name: \(name), namespace: \(name)}
        spec:
          include: [\(base)]
          namespace: \(name)
          patches:
            - target: {kind: Endpoint, name: \(endpoint)}
              patch: {spec: {replicas: {min: \(replicas), max: \(replicas)}}}

        """
    }

    /// Makes a change to the stages, or to what they include.
    mutating func changeStages(_ random: inout SeededRandom) -> String {
        let stage = random.pick(["staging", "production"])
        switch Int.random(in: 0..<11, using: &random) {
        case 0, 1:
            self.files["\(stage).yaml"] = Self.stage(stage, replicas: 2, of: random.pick(["x", "y"]))
            return "patch"
        case 2:
            self.files["\(stage).yaml"] = Self.stage(stage, replicas: 2, of: "z")
            return "patch of nothing"
        case 3:
            self.files["base/y.yaml"]?.append("# changed \(Int.random(in: 0..<99, using: &random))\n")
            return "comment in the base"
        case 4:
            let log = random.pick(["{sample: 1}", "{sample: 0.5}"])
            self.files["base/x.yaml"] = self.files["base/y.yaml"]?
                .replacingOccurrences(of: "name: y", with: "name: x")
                .replacingOccurrences(of: "{serve: {model: m}}", with: "{serve: {model: m}, log: \(log)}")
            return "base"
        case 5:
            self.files["base/new.yaml"] = Self.endpoint("a", 0, "{model: shared/m1}")
                .replacingOccurrences(of: "name: e0, namespace: a", with: "name: new")
            return "new in the base"
        case 6:
            self.files["base/y.yaml"] = nil
            return "removed from the base"
        case 7, 8:
            let patch = Self.policyPatch(random.pick(["warn", "deny"]))
            self.files["staging.yaml"] = Self.stage("staging", replicas: 1) + patch
            return "patch of the policy"
        case 9:
            let other = random.pick(["staging", "production", "b"])
            self.files["\(stage).yaml"]?.replace("\n  namespace: \(stage)\n", with: "\n  namespace: \(other)\n")
            return "other namespace"
        default:
            self.files["more.yaml"] = Self.stage("more", replicas: 1, base: random.pick(["base", "a"]))
            return "one more stage"
        }
    }

    static let overlay = """
        apiVersion: martlet.dev/v1
        kind: Overlay
        metadata: {name: stage, namespace: stage}
        spec: {include: [a], namespace: stage}

        """

    /// Makes one change, and says which.
    mutating func change(_ random: inout SeededRandom) -> String {
        let team = random.pick(Self.teams)
        let number = Int.random(in: 0..<2, using: &random)
        let text = Int.random(in: 0..<1000, using: &random)
        switch Int.random(in: 0..<20, using: &random) {
        case 0, 1, 2:
            self.files["\(team)/p\(number).yaml"] = Self.prompt(team, number, "Say \(text).")
            return "prompt"
        case 3:
            self.files["\(team)/p\(number).yaml"] = Self.prompt(team, number, "Say it.", "question")
            return "variable that chains do not give"
        case 4, 5:
            self.files["\(team)/c\(number).yaml"] = Self.chain(team, number, model: "shared/m\(text % 2)")
            return "other model"
        case 6:
            self.files["\(team)/c\(number).yaml"] = Self.chain(team, number, model: "shared/m\(text % 4)")
            return "model that may be missing"
        case 7, 8:
            let serve = random.pick(["{chain: c0}", "{chain: c1}", "{model: shared/m0}", "{model: shared/m1}"])
            let more = random.pick([
                "", ", access: {anonymous: true}", ", replicas: {min: 2, max: 2}", ", log: {sample: 1}",
            ])
            self.files["\(team)/e\(number).yaml"] = Self.endpoint(team, number, serve, more)
            return "endpoint"
        case 9:
            self.files["shared/m\(number).jsonl"] = "{\"default\": true, \"output\": \"\(text)\"}\n"
            return "content of a model"
        case 10:
            self.files["shared/m\(number).yaml"] = Self.model(
                "m\(number)",
                source: "shared/m\(random.oneIn(2) ? number : 1).jsonl",
                random.pick(["", ", replicas: 2", ", resources: {memory: 1Mi}", ", load: lazy"])
            )
            return "model, perhaps the same as the other one"
        case 11:
            self.files["shared/m\(2 + number).yaml"] = Self.model("m\(2 + number)", source: "shared/m\(text % 2).jsonl")
            return "new model with an old one's content"
        case 12: self.files["\(team)/e\(number).yaml"] = nil
        case 13: self.files["\(team)/p\(number).yaml"] = nil
        case 14:
            self.files["\(team)/moved-\(number).yaml"] = self.files.removeValue(forKey: "\(team)/p\(number).yaml")
            return "moved"
        case 15: self.files["\(team)/twice.yaml"] = self.files["\(team)/e\(number).yaml"]
        case 16: self.files["\(team)/c\(number).yaml"] = "apiVersion: martlet.dev/v1\nkind: Chain\nmetadata: {name: [\n"
        case 17:
            let strict = random.pick([nil, "warn", "deny"])
            self.files["b/policy.yaml"] = strict.map { Self.strictPolicy($0) }
            self.files["a/policy.yaml"] = self.files["a/policy.yaml"] == nil ? Self.policy : nil
            return "policy"
        case 18:
            self.files["stage.yaml"] = self.files["stage.yaml"] == nil ? Self.overlay : nil
            return "overlay"
        default:
            self.files[".martletignore"] = self.files[".martletignore"] == nil ? "\(team)/e1.yaml\n" : nil
            return "ignored files"
        }
        return "removed, doubled or broken"
    }
}

/// A repository that counts how many objects are read from it.
final class CountingRepository: SourceRepository {
    private let repository: MemoryRepository
    private let count = Mutex(0)

    init(_ commits: [String: [String: String]]) {
        self.repository = MemoryRepository(commits)
    }

    /// How many objects were read since the last question.
    var reads: Int {
        self.count.withLock { count in
            defer { count = 0 }
            return count
        }
    }

    func read(_ object: ObjectID, limit: Int64) throws -> [UInt8] {
        self.count.withLock { $0 += 1 }
        return try self.repository.read(object, limit: limit)
    }

    func resolve(_ ref: String) throws -> CommitSummary { try self.repository.resolve(ref) }

    func changes(from base: ObjectID?, to head: ObjectID, under subpath: String) throws -> TreeChanges {
        try self.repository.changes(from: base, to: head, under: subpath)
    }

    func entry(at path: String, in commit: ObjectID) throws -> TreeEntry? {
        try self.repository.entry(at: path, in: commit)
    }

    func resolvedEntry(at path: String, in commit: ObjectID) throws -> TreeEntry {
        try self.repository.resolvedEntry(at: path, in: commit)
    }

    func files(below path: String, in commit: ObjectID) throws -> [TreeEntry] {
        try self.repository.files(below: path, in: commit)
    }

    func size(of object: ObjectID) throws -> Int64 { try self.repository.size(of: object) }

    func export(_ object: ObjectID, to file: String, limit: Int64) throws {
        try self.repository.export(object, to: file, limit: limit)
    }

    func log(from head: ObjectID, under subpath: String, limit: Int) throws -> [CommitSummary] { [] }

    func refChanges() -> AsyncStream<Void> { AsyncStream { $0.finish() } }
}
