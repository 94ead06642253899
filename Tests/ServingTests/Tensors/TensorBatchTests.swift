import Planning
import Testing

@testable import Serving

struct TensorBatchTests {
    private static func open(_ name: String, _ datatype: TensorDatatype, _ rest: Int...) -> TensorDescription {
        TensorDescription(name: name, datatype: datatype, shape: [-1] + rest)
    }

    private static let signature = TensorSignature(
        inputs: [open("x", .fp32, 2), open("t", .bytes)],
        outputs: [open("y", .fp32, 2), open("u", .bytes, 2)]
    )

    private static func member(_ numbers: [Float], _ texts: [String], outputs: [String] = []) -> TensorBatch.Member {
        TensorBatch.Member(
            inputs: [
                Tensor(name: "t", shape: [texts.count], texts: texts),
                Tensor(name: "x", shape: [numbers.count / 2, 2], elements: numbers),
            ],
            outputs: outputs
        )
    }

    @Test("Inputs stand row behind row, in the model's order")
    func joins() {
        let batch = TensorBatch(
            [Self.member([1, 2], ["a"]), Self.member([3, 4, 5, 6], ["", "bcd"])],
            signature: Self.signature
        )
        #expect(
            batch.inputs == [
                Tensor(name: "x", shape: [3, 2], elements: [1, 2, 3, 4, 5, 6] as [Float]),
                Tensor(name: "t", shape: [3], texts: ["a", "", "bcd"]),
            ]
        )
    }

    @Test("Each member gets its own rows of the outputs that it asked for, in its order")
    func splits() {
        let batch = TensorBatch(
            [
                Self.member([1, 2], ["a"], outputs: ["u"]),
                Self.member([3, 4, 5, 6], ["b", "c"], outputs: ["u", "y"]),
            ],
            signature: Self.signature
        )
        #expect(batch.outputs == ["y", "u"])
        let answers = batch.split([
            Tensor(name: "y", shape: [3, 2], elements: [1, 2, 3, 4, 5, 6] as [Float]),
            Tensor(name: "u", shape: [3, 2], texts: ["a", "a2", "b", "", "c", "c2"]),
        ])
        #expect(
            answers == [
                [Tensor(name: "u", shape: [1, 2], texts: ["a", "a2"])],
                [
                    Tensor(name: "u", shape: [2, 2], texts: ["b", "", "c", "c2"]),
                    Tensor(name: "y", shape: [2, 2], elements: [3, 4, 5, 6] as [Float]),
                ],
            ]
        )
    }

    @Test("All outputs are computed when one member wants all")
    func wantsAll() {
        let members = [Self.member([1, 2], ["a"], outputs: ["u"]), Self.member([1, 2], ["a"])]
        let batch = TensorBatch(members, signature: Self.signature)
        #expect(batch.outputs == [])
        let answers = batch.split([
            Tensor(name: "y", shape: [2, 2], elements: [1, 2, 3, 4] as [Float]),
            Tensor(name: "u", shape: [2, 2], texts: ["a", "b", "c", "d"]),
        ])
        #expect(answers?.map { $0.map(\.name) } == [["u"], ["y", "u"]])
    }

    @Test(
        "Outputs with other rows than went in belong to nobody",
        arguments: [
            [Tensor(name: "y", shape: [1, 2], elements: [1, 2] as [Float])],
            [Tensor(name: "y", shape: [], elements: [1] as [Float])],
            [Tensor(name: "y", datatype: .fp32, shape: [2, 2], bytes: [0])],
            [Tensor(name: "y", datatype: .bytes, shape: [2, 2], bytes: [255, 0, 0, 0])],
            [],
        ]
    )
    func refusesOtherRows(_ outputs: [Tensor]) {
        let members = [Self.member([1, 2], ["a"], outputs: ["y"]), Self.member([3, 4], ["b"], outputs: ["y"])]
        #expect(TensorBatch(members, signature: Self.signature).split(outputs) == nil)
    }

    @Test("Only models whose tensors all have rows can be put together")
    func isPossible() {
        #expect(TensorBatch.isPossible(Self.signature))
        var fixed = Self.signature
        fixed.outputs[0].shape = [1, 2]
        #expect(!TensorBatch.isPossible(fixed))
        var scalar = Self.signature
        scalar.inputs[1].shape = []
        #expect(!TensorBatch.isPossible(scalar))
        var unknown = Self.signature
        unknown.outputs[1].shape = nil
        #expect(!TensorBatch.isPossible(unknown))
    }

    @Test(
        "A run shows that its outputs are no rows of its inputs where their numbers differ, and inputs agree in theirs",
        arguments: [
            ([2, 2], [2, 2], true), ([2], [2, 1], false), ([2], [3], false), ([0], [1], false), ([1, 2], [1], true),
            ([2], [nil], false),
        ] as [([Int], [Int?], Bool)]
    )
    func rows(_ inputs: [Int], _ outputs: [Int?], _ areRows: Bool) {
        func tensors(_ rows: [Int?]) -> [Tensor] {
            rows.map { Tensor(name: "x", datatype: .uint8, shape: $0.map { [$0, 1] } ?? [], bytes: []) }
        }
        #expect(TensorBatch.areRows(of: tensors(inputs), tensors(outputs)) == areRows)
    }

    @Test("A request has a layout when its inputs have the same rows, and any")
    func layout() {
        func layout(_ member: TensorBatch.Member) -> [[Int]]? {
            TensorBatch.layout(of: member.inputs, signature: Self.signature)?.layout
        }
        #expect(layout(Self.member([1, 2, 3, 4], ["a", "b"])) == [[2], []])
        #expect(layout(Self.member([1, 2], ["a", "b"])) == nil)
        #expect(layout(Self.member([], [])) == nil)
    }
}
