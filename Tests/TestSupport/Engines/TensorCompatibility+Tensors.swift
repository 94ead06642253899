internal import Planning
internal import Schema

// What goes in, and what comes out.
extension TensorCompatibility {
    func everyDatatypeComesBack() throws {
        for datatype in TensorDatatype.allCases {
            try self.requireEcho(Self.sample(of: datatype, shape: [2, 3]))
        }
    }

    func shapesAreDynamic() throws {
        try self.withSession(of: self.models.identity(.fp32)) { _, session in
            for shape in [[1, 1], [4, 2], [1000, 3], [1, 1]] {
                try self.requireEcho(Self.sample(of: .fp32, shape: shape), by: session)
            }
        }
    }

    func emptyTensorsComeBack() throws {
        for datatype in TensorDatatype.allCases {
            for shape in [[0, 3], [3, 0], [0, 0]] {
                try self.requireEcho(Tensor(name: "x", datatype: datatype, shape: shape, bytes: []))
            }
        }
    }

    func textsComeBack() throws {
        let long = String(repeating: "ä", count: 100_000)
        let texts = ["", "é", "日本語", "a\0b", long, ""]
        let tensor = Tensor(name: "x", shape: [3, 2], texts: texts)
        try self.requireEcho(tensor)
        try self.withSession(of: self.models.identity(.bytes)) { _, session in
            let found = try session.run([tensor]).first?.texts?.map { String(decoding: $0, as: UTF8.self) }
            try self.require(found == texts, "the texts came back as \(String(describing: found))")
            // What is no text in any encoding is data all the same.
            let data = Tensor(name: "x", datatype: .bytes, shape: [1, 1], bytes: [2, 0, 0, 0, 0xFF, 0xFE])
            try self.requireEcho(data, by: session)
        }
    }

    func scalarsHaveNoShape() throws {
        try self.withSession(of: self.models.count) { _, session in
            let found = try session.run([Self.steps(7)])
            let expected = [Tensor(name: "count", shape: [], elements: [Int64(7)])]
            try self.require(found == expected, "counting to 7 gave \(found)")
        }
    }

    func outputsComeByNameAndInOrder() throws {
        try self.withSession(of: self.models.sumAndDifference) { _, session in
            let sum = Tensor(name: "sum", shape: [2, 3], elements: [2, 3, 4, 6, 7, 8] as [Float])
            let difference = Tensor(name: "difference", shape: [2, 3], elements: [0, 1, 2, 2, 3, 4] as [Float])
            let expected: [([String], [Tensor])] = [
                ([], [sum, difference]),
                (["sum", "difference"], [sum, difference]),
                (["difference", "sum"], [difference, sum]),
                (["difference"], [difference]),
            ]
            for (names, outputs) in expected {
                let found = try session.run(Self.pair(1), outputs: names)
                try self.require(found == outputs, "asked for \(names), it gave \(found)")
            }
            let reversed = try session.run(Self.pair(1).reversed())
            try self.require(reversed == [sum, difference], "the order of the inputs changed the answer")
        }
    }

    func wrongTensorsAreNamed() throws {
        let (a, b) = (Self.pair(1)[0], Self.pair(1)[1])
        func changed(_ change: (inout Tensor) -> Void) -> [Tensor] {
            var tensor = b
            change(&tensor)
            return [a, tensor]
        }
        let wrong: [(inputs: [Tensor], outputs: [String], words: [String])] = [
            ([a], [], ["'b' is missing"]),
            ([a, b, a], [], ["'a' is given twice"]),
            (changed { $0.name = "c" }, [], ["no input 'c'"]),
            (
                [Tensor(name: "b", shape: [2, 3], elements: [Double](repeating: 0, count: 6)), a], [],
                ["'b'", "FP64", "FP32"]
            ),
            (changed { $0.shape = [3, 2] }, [], ["'b'", "[3, 2]", "[?, 3]"]),
            (changed { $0.shape = [6] }, [], ["'b'", "[6]", "[?, 3]"]),
            (changed { $0.shape = [3, 3] }, [], ["'b'", "24 bytes", "36"]),
            (changed { $0.bytes.removeLast() }, [], ["'b'", "23 bytes", "24"]),
            (changed { $0.shape = [-1, 3] }, [], ["'b'", "negative"]),
            (changed { $0.shape = [Int.max, 3] }, [], ["'b'", "too large"]),
            ([a, b], ["product"], ["no output 'product'"]),
            ([a, b], ["sum", "sum"], ["'sum' is asked for twice"]),
        ]
        try self.withSession(of: self.models.sumAndDifference) { _, session in
            for (inputs, outputs, words) in wrong {
                try self.requireRefusal(words) { _ = try session.run(inputs, outputs: outputs) }
            }
            try self.require(try session.run([a, b]).count == 2, "a refused run spoilt the session")
        }
        try self.wrongElementsAreNamed()
    }

    private func wrongElementsAreNamed() throws {
        func x(_ datatype: TensorDatatype, _ bytes: [UInt8]) -> Tensor {
            Tensor(name: "x", datatype: datatype, shape: [1, 2], bytes: bytes)
        }
        let wrong: [(Tensor, String)] = [
            (x(.bool, [1, 2]), "byte 2 as element 1"),
            (x(.bytes, [0, 0, 0]), "fewer than the lengths of 2 texts"),
            (x(.bytes, [1, 0, 0, 0, 65, 0, 0, 0]), "within the length of text 1"),
            (x(.bytes, [0, 0, 0, 0, 9, 0, 0, 0, 65]), "within text 1"),
            (x(.bytes, [0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]), "within text 1"),
            (x(.bytes, [0, 0, 0, 0, 0, 0, 0, 0, 65]), "1 bytes behind its last text"),
        ]
        for (tensor, words) in wrong {
            try self.withSession(of: self.models.identity(tensor.datatype)) { _, session in
                try self.requireRefusal(["'x'", words]) { _ = try session.run([tensor]) }
            }
        }
    }

    /// Requires a refusal whose message has all of these words.
    private func requireRefusal(_ words: [String], _ body: () throws -> Void) throws {
        try EngineCompatibility.requireError(["TensorInvalid"], "a run with \(words)") {
            do {
                try body()
            } catch let error as MartletError {
                for word in words {
                    try self.require(error.message.contains(word), "'\(error.message)' does not say '\(word)'")
                }
                throw error
            }
        }
    }

    private func requireEcho(_ tensor: Tensor) throws {
        try self.withSession(of: self.models.identity(tensor.datatype)) { _, session in
            try self.requireEcho(tensor, by: session)
        }
    }

    private func requireEcho(_ tensor: Tensor, by session: any TensorSession) throws {
        var expected = tensor
        expected.name = "y"
        let found = try session.run([tensor])
        try self.require(found == [expected], "\(tensor.datatype.rawValue) \(tensor.shape) did not come back as it was")
    }

    /// Elements with all kinds of bits.
    private static func sample(of datatype: TensorDatatype, shape: [Int]) -> Tensor {
        let count = Tensor.count(of: shape) ?? 0
        guard let width = datatype.width else {
            return Tensor(name: "x", shape: shape, texts: (0..<count).map { String(repeating: "é", count: $0) })
        }
        let bytes = (0..<count * width).map { datatype == .bool ? UInt8($0 % 2) : UInt8(truncatingIfNeeded: $0 &* 37) }
        return Tensor(name: "x", datatype: datatype, shape: shape, bytes: bytes)
    }
}
