internal import Planning
internal import Schema

/// Requests for tensors of one model as one run: their inputs row behind row, their outputs apart again. Pure.
struct TensorBatch: Sendable {
    /// One request of the batch.
    struct Member: Sendable {
        /// They fit the model's signature.
        var inputs: [Tensor]
        /// All outputs where none is named.
        var outputs: [String]
    }

    let members: [Member]
    private let signature: TensorSignature
    private let rows: [Int]

    /// - Parameter members: of one layout, as ``layout(of:signature:)`` gives it.
    init(_ members: [Member], signature: TensorSignature) {
        self.members = members
        self.signature = signature
        self.rows = members.map { $0.inputs.first?.shape.first ?? 0 }
    }

    /// All rows of all members.
    var rowCount: Int { self.rows.reduce(0, +) }

    /// Whether requests of a model can be put together at all: the first size of every tensor is open.
    static func isPossible(_ signature: TensorSignature) -> Bool {
        !signature.inputs.isEmpty && (signature.inputs + signature.outputs).allSatisfy { $0.shape?.first == -1 }
    }

    /// Whether every output of a run has as many rows as its inputs. Inputs that differ in theirs tell nothing.
    static func areRows(of inputs: [Tensor], _ outputs: [Tensor]) -> Bool {
        let rows = inputs.first?.shape.first
        guard inputs.allSatisfy({ $0.shape.first == rows }) else { return true }
        return outputs.allSatisfy { $0.shape.first == rows }
    }

    /// The rows of a request and their sizes, input by input in the model's order; nil where the inputs differ in their
    /// rows, or have none.
    static func layout(of inputs: [Tensor], signature: TensorSignature) -> (rows: Int, layout: [[Int]])? {
        guard let rows = inputs.first?.shape.first, rows > 0 else { return nil }
        guard inputs.allSatisfy({ $0.shape.first == rows }) else { return nil }
        let layout = signature.inputs.map { description in
            Array(inputs.first { $0.name == description.name }?.shape.dropFirst() ?? [])
        }
        return (rows, layout)
    }

    /// The inputs of the run.
    var inputs: [Tensor] {
        self.signature.inputs.map { description in
            let parts = self.members.compactMap { member in member.inputs.first { $0.name == description.name } }
            var bytes: [UInt8] = []
            bytes.reserveCapacity(parts.reduce(0) { $0 + $1.bytes.count })
            for part in parts { bytes.append(contentsOf: part.bytes) }
            let row = parts.first?.shape.dropFirst() ?? []
            return Tensor(
                name: description.name,
                datatype: description.datatype,
                shape: [self.rowCount] + row,
                bytes: bytes
            )
        }
    }

    /// The outputs that the run computes: all that any member wants.
    var outputs: [String] {
        if self.members.contains(where: \.outputs.isEmpty) { return [] }
        let wanted = Set(self.members.flatMap(\.outputs))
        return self.signature.outputs.map(\.name).filter { wanted.contains($0) }
    }

    /// What each member gets of the run's outputs; nil where these do not have the rows that went in.
    func split(_ outputs: [Tensor]) -> [[Tensor]]? {
        var parts: [String: [Tensor]] = [:]
        for output in outputs {
            guard output.shape.first == self.rowCount, let split = output.split(byRows: self.rows) else { return nil }
            parts[output.name] = split
        }
        let all = self.signature.outputs.map(\.name)
        var answers: [[Tensor]] = []
        for (index, member) in self.members.enumerated() {
            let names = member.outputs.isEmpty ? all : member.outputs
            let answer = names.compactMap { parts[$0]?[index] }
            guard answer.count == names.count else { return nil }
            answers.append(answer)
        }
        return answers
    }
}

extension Tensor {
    /// The tensor in pieces of so many rows each, which are all of its rows; nil where its bytes do not fit its shape.
    fileprivate func split(byRows counts: [Int]) -> [Tensor]? {
        guard let rowSize = Tensor.count(of: Array(self.shape.dropFirst())) else { return nil }
        var pieces: [Tensor] = []
        var start = 0
        for count in counts {
            let (elements, overflows) = count.multipliedReportingOverflow(by: rowSize)
            guard !overflows, let end = self.end(ofElements: elements, from: start) else { return nil }
            pieces.append(
                Tensor(
                    name: self.name,
                    datatype: self.datatype,
                    shape: [count] + self.shape.dropFirst(),
                    bytes: Array(self.bytes[start..<end])
                )
            )
            start = end
        }
        return start == self.bytes.count ? pieces : nil
    }

    /// Where so many elements end that start at a byte; nil where there are fewer.
    private func end(ofElements count: Int, from start: Int) -> Int? {
        if let width = self.datatype.width {
            let (length, overflows) = count.multipliedReportingOverflow(by: width)
            return !overflows && length <= self.bytes.count - start ? start + length : nil
        }
        let header = MemoryLayout<UInt32>.size
        var position = start
        for _ in 0..<count {
            guard self.bytes.count - position >= header else { return nil }
            let length = self.bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: UInt32.self) }
            position += header
            guard self.bytes.count - position >= length else { return nil }
            position += Int(length)
        }
        return position
    }
}
