internal import CKernels
internal import Schema

/// `vectors.f32` and `vectors.f16`: the vectors of an index, one after another, in single and in half precision.
///
/// A search is bound by how fast memory is read, so it reads the halves. What they say is off by a bound that is known:
/// whatever could be among the best by that bound is measured again with the exact vectors, so that the answer is the
/// exact one.
final class VectorFile: Sendable {
    static let fileName = "vectors.f32"
    static let halvesName = "vectors.f16"
    /// Beyond this, numbers are too large for halves.
    static let largestHalf: Float = 60_000
    /// Vectors whose products are worked out at once: they stay in the cache while they are compared.
    private static let block = 4096

    let note: VectorNote
    let count: Int
    let metric: KnowledgeBaseSpec.Index.Metric
    private let numbers: MappedFile
    private let halves: MappedFile?
    /// Half the square of each length, which euclidean distances need.
    private let halfSquares: [Float]

    /// Throws `IndexUnreadable`.
    init(
        _ folder: IndexFolder,
        _ note: VectorNote,
        count: Int,
        metric: KnowledgeBaseSpec.Index.Metric,
        usesHalves: Bool = martlet_reads_halves() != 0
    ) throws(MartletError) {
        (self.note, self.count, self.metric) = (note, count, metric)
        self.numbers = try MappedFile(folder.file(Self.fileName))
        guard self.numbers.count == count * note.width * MemoryLayout<Float>.size else {
            throw MartletError.unreadableIndex(folder.file(Self.fileName), "it has another size")
        }
        let canUseHalves = usesHalves && note.largest <= Self.largestHalf
        self.halves = canUseHalves ? try MappedFile(folder.file(Self.halvesName)) : nil
        if let halves = self.halves, halves.count != count * note.width * MemoryLayout<UInt16>.size {
            throw MartletError.unreadableIndex(folder.file(Self.halvesName), "it has another size")
        }
        self.halfSquares = metric == .euclidean ? Self.halfSquares(self.numbers, note.width, count) : []
    }

    /// One vector as it was written.
    func vector(_ index: Int) -> [Float] {
        self.numbers.withBytes { bytes in
            let width = self.note.width
            return Array(bytes.bindMemory(to: Float.self)[(index * width)..<((index + 1) * width)])
        }
    }

    /// The nearest vectors, nearest first; of equals, the first one comes first. The query has the index's width.
    func nearest(to query: [Float], _ limit: Int) -> [Ranked] {
        guard limit > 0, self.count > 0 else { return [] }
        let query = self.metric == .cosine ? Self.unit(query) : query
        let candidates = self.candidates(for: query, limit)
        let length = Self.length(query)
        return self.numbers.withBytes { bytes in
            let numbers = bytes.bindMemory(to: Float.self)
            let exact = candidates.map { index in
                let row = numbers.baseAddress.map { $0 + index * self.note.width }
                let product = martlet_dot_exact(row, query, self.note.width)
                let square = 2 * Double(self.halfSquares.isEmpty ? 0 : self.halfSquares[index])
                return Ranked(piece: index, score: self.score(product, square, Double(length)))
            }
            return Array(exact.sorted { ($1.score, $0.piece) < ($0.score, $1.piece) }.prefix(limit))
        }
    }

    private func score(_ product: Double, _ square: Double, _ length: Double) -> Double {
        switch self.metric {
        case .cosine, .dot: product
        // 1 for the same vector, towards 0 for far ones.
        case .euclidean: 1 / (1 + max(0, square - 2 * product + length * length).squareRoot())
        }
    }

    // MARK: Scanning

    /// Every vector that may be among the nearest, and few others.
    private func candidates(for query: [Float], _ limit: Int) -> [Int] {
        var best = BestScores(limit)
        var kept: [(index: Int, score: Float)] = []
        let slack = self.slack(for: query)
        var products = [Float](repeating: 0, count: min(Self.block, self.count))
        for start in stride(from: 0, to: self.count, by: Self.block) {
            let size = min(Self.block, self.count - start)
            self.multiply(start, size, query, &products)
            for offset in 0..<size {
                let score =
                    self.halfSquares.isEmpty ? products[offset] : products[offset] - self.halfSquares[start + offset]
                guard score >= best.bar - slack else { continue }
                best.take(score)
                kept.append((start + offset, score))
            }
        }
        // The bar was lower when the first ones came in.
        return kept.filter { $0.score >= best.bar - slack }.map(\.index)
    }

    private func multiply(_ start: Int, _ size: Int, _ query: [Float], _ products: inout [Float]) {
        let width = self.note.width
        if let halves = self.halves {
            halves.withBytes { bytes in
                let rows = bytes.bindMemory(to: UInt16.self).baseAddress.map { $0 + start * width }
                martlet_dot_rows_half(rows, size, width, query, &products)
            }
        } else {
            self.numbers.withBytes { bytes in
                let rows = bytes.bindMemory(to: Float.self).baseAddress.map { $0 + start * width }
                martlet_dot_rows(rows, size, width, query, &products)
            }
        }
    }

    /// How far two products that were worked out may be from being in the right order.
    ///
    /// Rounding to half precision changes each number by at most 2^-11 of itself, or by 2^-25 where it is tiny; adding up
    /// `width` products changes the sum by at most `width` times 2^-23 of the product of both lengths.
    private func slack(for query: [Float]) -> Float {
        let lengths = Self.length(query) * self.note.longest
        let sums = Float(self.note.width) * 0x1p-23 * (lengths + self.note.longest * self.note.longest)
        guard self.halves != nil else { return 2 * sums }
        let tiny = query.reduce(0) { $0 + abs($1) } * 0x1p-25
        return 2 * (lengths * 0x1p-11 + tiny + sums)
    }

    private static func halfSquares(_ numbers: MappedFile, _ width: Int, _ count: Int) -> [Float] {
        numbers.withBytes { bytes in
            let numbers = bytes.bindMemory(to: Float.self)
            return (0..<count).map { index in
                let row = numbers.baseAddress.map { $0 + index * width }
                return Float(martlet_dot_exact(row, row, width) / 2)
            }
        }
    }

    // MARK: Lengths

    static func length(_ vector: [Float]) -> Float {
        Float(martlet_dot_exact(vector, vector, vector.count).squareRoot())
    }

    /// The vector at length 1; one without a length stays as it is.
    static func unit(_ vector: [Float]) -> [Float] {
        let length = Self.length(vector)
        return length > 0 ? vector.map { $0 / length } : vector
    }
}

/// The scores of the best so far.
private struct BestScores {
    private let limit: Int
    /// A heap, whose first element is the smallest.
    private var heap: [Float] = []

    init(_ limit: Int) {
        self.limit = limit
        self.heap.reserveCapacity(limit)
    }

    /// What a score has to reach to be among the best.
    var bar: Float { self.heap.count < self.limit ? -.infinity : self.heap[0] }

    mutating func take(_ score: Float) {
        if self.heap.count < self.limit {
            self.heap.append(score)
            var child = self.heap.count - 1
            while child > 0, self.heap[child] < self.heap[(child - 1) / 2] {
                self.heap.swapAt(child, (child - 1) / 2)
                child = (child - 1) / 2
            }
            return
        }
        guard score > self.heap[0] else { return }
        self.heap[0] = score
        var parent = 0
        while true {
            let (left, right) = (2 * parent + 1, 2 * parent + 2)
            var least = parent
            if left < self.heap.count, self.heap[left] < self.heap[least] { least = left }
            if right < self.heap.count, self.heap[right] < self.heap[least] { least = right }
            guard least != parent else { return }
            self.heap.swapAt(parent, least)
            parent = least
        }
    }
}

extension VectorFile {
    /// The vector in half precision.
    static func halves(_ vector: [Float]) -> [UInt16] {
        [UInt16](unsafeUninitializedCapacity: vector.count) { halves, count in
            martlet_to_halves(vector, vector.count, halves.baseAddress)
            count = vector.count
        }
    }
}
