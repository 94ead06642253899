// The product's own indexes under load: builds them, then answers one search for each line of its input with the
// nanoseconds that it took. `compare.py` talks to it.

internal import Foundation
internal import Planning
internal import Retrieval
internal import Schema

/// Numbers that are the same in every run.
struct Numbers {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state = self.state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        var mixed = self.state ^ self.state >> 33
        mixed = mixed &* 0xFF51_AFD7_ED55_8CCD
        return mixed ^ mixed >> 33
    }

    /// From 0 to 1.
    mutating func fraction() -> Double { Double(self.next() >> 11) * 0x1p-53 }

    /// A vector of length 1 in any direction.
    mutating func direction(_ width: Int) -> [Float] {
        let numbers = (0..<width).map { _ in Float(self.fraction() + self.fraction() + self.fraction() - 1.5) }
        let length = numbers.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return numbers.map { $0 / length }
    }

    /// Words as often as in natural text: the n-th has a share of about 1/n.
    mutating func words(_ count: Int) -> String {
        (0..<count).map { _ in "w\(Int(exp(self.fraction() * log(30_000))))" }.joined(separator: " ")
    }
}

/// Reads documents from memory.
struct Shelf: ArtifactStore, WallClock {
    let texts: [String: String]

    func materialise(_ artifact: Artifact) async throws -> String { artifact.path }
    func prune(keeping artifacts: [Artifact]) async {}
    func now() -> Timestamp { Timestamp(milliseconds: 0) }

    func base(_ type: String, chunkSize: Int) throws -> RevisionGraph.KnowledgeBase {
        let identity = ResourceIdentity(.knowledgeBase, namespace: "default", name: type)
        let spec: JSONValue = [
            "documents": [["source": ["uri": "documents"]]], "index": ["type": .string(type)],
            "chunking": ["size": .integer(Int64(chunkSize))],
        ]
        guard case .knowledgeBase(let typed) = try Resource(identity, spec: spec).spec else { fatalError(type) }
        let instance = InstanceKey(Digest(of: []))
        return RevisionGraph.KnowledgeBase(
            identity: identity,
            digest: Digest(of: []),
            spec: typed,
            documents: self.texts.keys.sorted().map { path in
                let artifact = Artifact(location: .repository(path: path, blob: path), size: nil)
                return .init(artifact: artifact, format: path.hasSuffix(".jsonl") ? .jsonl : .text)
            },
            embedding: typed.index.type.embeds ? .init(model: identity, instance: instance) : nil
        )
    }

    func open(
        _ base: RevisionGraph.KnowledgeBase,
        in folder: String,
        _ embed: @escaping @Sendable ([String]) async throws -> [[Float]]
    ) async throws -> (index: any KnowledgeIndex, seconds: Double) {
        let store = IndexStore(
            folder: folder,
            read: { Array((self.texts[$0.path] ?? "").utf8) },
            artifacts: self,
            wallClock: self
        )
        let start = ContinuousClock.now
        let index = try await store.knowledge(base, embed: embed)
        return (index, (ContinuousClock.now - start) / .seconds(1))
    }
}

func say(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
}

let (folder, count, width) = (CommandLine.arguments[1], 100_000, 384)

@Sendable func vector(of text: String) -> [Float] {
    var numbers = Numbers(state: UInt64(text.utf8.reduce(0 as UInt64) { $0 &* 31 &+ UInt64($1) }))
    return numbers.direction(width)
}

let lines = (0..<count).map { "\"piece \($0)\"" }.joined(separator: "\n")
let vectors = try Shelf(texts: ["rows.jsonl": lines]).base("vector", chunkSize: 256)
let meaning = try await Shelf(texts: ["rows.jsonl": lines]).open(vectors, in: folder) { $0.map { vector(of: $0) } }

var numbers = Numbers(state: 1)
let texts = Dictionary(uniqueKeysWithValues: (0..<10_000).map { ("\($0).txt", numbers.words(200)) })
let library = Shelf(texts: texts)
let words = try await library.open(try library.base("lexical", chunkSize: 1000), in: folder) { _ in [] }

say("\(folder)/knowledge-\(vectors.content.hex)/vectors.f32 \(meaning.seconds) \(words.seconds)")
while let line = readLine() {
    let asked = line.split(separator: " ", maxSplits: 1).map(String.init)
    let query = KnowledgeQuery(text: asked[1], top: 10)
    let made = vector(of: asked[1])
    let start = ContinuousClock.now
    let found = try await (asked[0] == "vector" ? meaning.index : words.index).search(query) { _ in [made] }
    let nanoseconds = Int((ContinuousClock.now - start) / .nanoseconds(1))
    // The query goes along, so that the other side asks for the very same.
    let floats = made.map { String($0) }.joined(separator: ",")
    say("\(nanoseconds) \(found.map(\.text).joined(separator: "|")) \(asked[0] == "vector" ? floats : "")")
}
