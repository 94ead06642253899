import Foundation
import Planning
import Schema
import Testing

@testable import Retrieval

@Suite("Vectors")
struct VectorFileTests {
    /// A small generator that gives the same numbers everywhere.
    private struct Numbers {
        var state: UInt64

        mutating func next() -> Float {
            self.state = self.state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(Int32(truncatingIfNeeded: self.state >> 32)) / Float(Int32.max)
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var metric: KnowledgeBaseSpec.Index.Metric
        var width: Int
        var scale: Float = 1
        var usesHalves = true
        var testDescription: String { "\(self.metric), \(self.width) wide, \(self.scale), \(self.usesHalves)" }
    }

    static let cases: [Case] = KnowledgeBaseSpec.Index.Metric.allCases.flatMap { metric in
        [true, false].flatMap { halves in
            [1, 7, 8, 31, 32, 100, 384].map { Case(metric: metric, width: $0, usesHalves: halves) }
                + [Case(metric: metric, width: 16, scale: 1e-7, usesHalves: halves)]
                + [Case(metric: metric, width: 16, scale: 1e6, usesHalves: halves)]
        }
    }

    @Test("The nearest are exactly the nearest", arguments: VectorFileTests.cases)
    func exact(_ test: Case) throws {
        let folder = IndexFolder(path: NSTemporaryDirectory() + "martlet-vectors-" + UUID().uuidString)
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        defer { folder.remove() }
        var numbers = Numbers(state: UInt64(test.width))
        // More than one block, some vectors twice, and neighbours that differ by less than half precision can tell.
        let count = test.width > 32 ? 300 : 4200
        var vectors = (0..<count).map { _ in (0..<test.width).map { _ in numbers.next() * test.scale } }
        vectors[count - 1] = vectors[17]
        for index in 100..<140 {
            vectors[index] = vectors[99].enumerated().map { $1 * (1 + Float((index * 7 + $0 * 3) % 41) * 1e-5) }
        }
        if test.metric == .cosine { vectors = vectors.map { VectorFile.unit($0) } }
        let isUnit = test.metric == .cosine
        var writer = try VectorWriter(folder, VectorNote(embedding: InstanceKey(Digest(of: [])), isUnit: isUnit))
        try writer.write(vectors)
        let note = try writer.finish()
        let file = try VectorFile(
            folder,
            note,
            count: vectors.count,
            metric: test.metric,
            usesHalves: test.usesHalves
        )
        let queries =
            [vectors[99], vectors[17]] + (0..<3).map { _ in (0..<test.width).map { _ in numbers.next() * test.scale } }
        for query in queries {
            let expected = Self.ranking(to: query, in: vectors, test.metric)
            for limit in [1, 10, 50] {
                #expect(file.nearest(to: query, limit).map(\.piece) == Array(expected.prefix(limit)))
            }
        }
        #expect(file.vector(count - 1) == vectors[17])
        #expect(file.nearest(to: vectors[0], 0).isEmpty)
        #expect(file.nearest(to: vectors[0], 9999).count == count)
    }

    /// All of them, the nearest first, found the long way.
    private static func ranking(
        to query: [Float],
        in vectors: [[Float]],
        _ metric: KnowledgeBaseSpec.Index.Metric
    ) -> [Int] {
        let query = (metric == .cosine ? VectorFile.unit(query) : query).map(Double.init)
        func sum(_ left: [Double], _ right: [Double]) -> Double { zip(left, right).reduce(0) { $0 + $1.0 * $1.1 } }
        let length = Double(VectorFile.length(query.map { Float($0) }))
        let scores = vectors.map { vector -> Double in
            let vector = vector.map(Double.init)
            let product = sum(vector, query)
            guard metric == .euclidean else { return product }
            let square = 2 * Double(Float(sum(vector, vector) / 2))
            return 1 / (1 + max(0, square - 2 * product + length * length).squareRoot())
        }
        return scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }
    }

    @Test("Ranks are joined as the paper says, and equals stand in order")
    func fusion() {
        func ranking(_ pieces: [Int]) -> [Ranked] { pieces.map { Ranked(piece: $0, score: 0) } }
        let fused = RankFusion.fuse([ranking([7, 3, 1]), ranking([3, 9, 7])])
        #expect(fused.map(\.piece) == [3, 7, 9, 1])
        #expect(fused[0].score == 1 / 62.0 + 1 / 61.0)
        #expect(RankFusion.fuse([ranking([5]), ranking([2])]).map(\.piece) == [2, 5])
        #expect(RankFusion.fuse([[], []]).isEmpty)
    }
}
