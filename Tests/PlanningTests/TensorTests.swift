import Foundation
import Planning
import Schema
import TestSupport
import Testing

/// Tensors, and what is wrong with them.
@Suite("Tensors")
struct TensorTests {
    @Test("Numbers go in and come out as they were, at their width")
    func numbers() {
        let tensor = Tensor(name: "x", shape: [2, 2], elements: [1, -2, 3, 1 << 40] as [Int64])
        #expect(tensor.datatype == .int64)
        #expect(tensor.bytes.count == 32)
        #expect(tensor.elements() == [1, -2, 3, 1 << 40] as [Int64])
        #expect(tensor.elements(as: UInt64.self) == nil)
        #expect(tensor.texts == nil)
        #expect(tensor.problem == nil)
        #expect(Tensor(name: "x", shape: [], elements: [Float16(0.5)]).bytes == [0x00, 0x38])
        #expect(Tensor(name: "x", datatype: .fp32, shape: [1], bytes: [0, 0, 0]).elements(as: Float.self) == nil)
    }

    @Test("Texts are their lengths and bytes; they need be no text")
    func texts() {
        let tensor = Tensor(name: "x", shape: [3], texts: ["", "é", "a"])
        #expect(tensor.bytes == [0, 0, 0, 0, 2, 0, 0, 0, 0xC3, 0xA9, 1, 0, 0, 0, 97])
        #expect(tensor.texts?.map(Array.init) == [[], [0xC3, 0xA9], [97]])
        #expect(tensor.problem == nil)
        var torn = tensor
        torn.bytes.removeLast()
        #expect(torn.texts == nil)
    }

    @Test(
        "What is wrong with a tensor is said in its numbers",
        arguments: [
            (TensorDatatype.fp32, [2, 2], 16, nil),
            (.fp32, [], 4, nil),
            (.fp64, [0, Int.max, Int.max], 0, nil),
            (.bytes, [0], 0, nil),
            (.fp32, [2, 2], 12, "has 12 bytes where its shape [2, 2] of FP32 needs 16"),
            (.uint8, [], 0, "has 0 bytes where its shape [] of UINT8 needs 1"),
            (.int8, [2, -1], 2, "has the shape [2, -1], where a size is negative"),
            (.int8, [0, -1], 0, "has the shape [0, -1], where a size is negative"),
            (.int8, [Int.max, 2], 2, "has the shape [9223372036854775807, 2], which is too large"),
            (
                .fp64, [1 << 62], 8,
                "has 8 bytes where its shape [4611686018427387904] of FP64 needs more than there can be"
            ),
            (.bytes, [1 << 62], 8, "has 8 bytes, fewer than the lengths of 4611686018427387904 texts need"),
            (.bytes, [1], 5, "has 1 bytes behind its last text"),
        ] as [(TensorDatatype, [Int], Int, String?)]
    )
    func problems(_ datatype: TensorDatatype, _ shape: [Int], _ length: Int, _ problem: String?) {
        let tensor = Tensor(name: "x", datatype: datatype, shape: shape, bytes: [UInt8](repeating: 0, count: length))
        #expect(tensor.problem == problem)
    }

    @Test("Every datatype is named as the protocol names it")
    func names() {
        let names = "BOOL UINT8 UINT16 UINT32 UINT64 INT8 INT16 INT32 INT64 FP16 BF16 FP32 FP64 BYTES"
        #expect(TensorDatatype.allCases.map(\.rawValue).joined(separator: " ") == names)
        #expect(TensorDatatype.allCases.map { $0.width ?? 0 } == [1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 8, 0])
    }

    private static let signature = TensorSignature(
        inputs: [
            TensorDescription(name: "image", datatype: .fp32, shape: [-1, 4]),
            TensorDescription(name: "mask", datatype: .bool, shape: nil),
        ],
        outputs: [
            TensorDescription(name: "label", datatype: .int64, shape: [-1]),
            TensorDescription(name: "score", datatype: .fp32, shape: []),
        ]
    )
    private static let image = Tensor(name: "image", shape: [1, 4], elements: [1, 2, 3, 4] as [Float])
    private static let mask = Tensor(name: "mask", datatype: .bool, shape: [1, 1, 2], bytes: [0, 1])

    @Test("A run that fits gives the outputs that were asked for, in that order")
    func outputs() throws {
        let inputs = [Self.mask, Self.image]
        #expect(try Self.signature.check(inputs, outputs: []).map(\.name) == ["label", "score"])
        #expect(try Self.signature.check(inputs, outputs: ["score", "label"]).map(\.name) == ["score", "label"])
        #expect(try Self.signature.check(inputs, outputs: ["score"]).map(\.name) == ["score"])
    }

    @Test("A run that does not fit is refused with the tensor, what was expected and what came")
    func refusals() {
        var (wide, double) = (Self.image, Self.image)
        wide.shape = [4, 1]
        double.datatype = .fp64
        let refusals: [([Tensor], [String], String)] = [
            ([Self.image], [], "input 'mask' is missing; the model takes image FP32 [?, 4], mask BOOL of any shape"),
            ([Self.image, Self.image], [], "input 'image' is given twice"),
            ([wide, Self.mask], [], "input 'image' has the shape [4, 1] where the model takes [?, 4]"),
            ([double, Self.mask], [], "input 'image' is FP64 where the model takes FP32"),
            (
                [Tensor(name: "imgae", shape: [], elements: [0] as [Float])], [],
                "the model has no input 'imgae'; did you mean 'image'?"
            ),
            ([Self.image, Self.mask], ["x"], "the model has no output 'x'; it has label, score"),
            ([Self.image, Self.mask], ["label", "label"], "output 'label' is asked for twice"),
        ]
        for (inputs, outputs, message) in refusals {
            let error = #expect(throws: MartletError.self) { _ = try Self.signature.check(inputs, outputs: outputs) }
            #expect(error?.code == "TensorInvalid")
            #expect(error?.message == message)
        }
    }

    @Test("What was written down of a model before there were tensors can still be read")
    func olderDescription() throws {
        let text = """
            {"architecture": "llama", "weightBytes": 1, "sessionBytes": 2, "contextLength": 3, "slots": 4, \
            "generates": true, "vocabularySize": 5, "addsBeginningToken": false}
            """
        let older = try JSONDecoder().decode(ModelDescription.self, from: Data(text.utf8))
        #expect(older.tensors == nil)
        #expect(older.contextLength == 3)
        let newer = ModelDescription(architecture: "onnx", weightBytes: 1, sessionBytes: 0, tensors: Self.signature)
        let copy = try JSONDecoder().decode(ModelDescription.self, from: JSONEncoder().encode(newer))
        #expect(copy == newer)
        #expect(!copy.generates)
    }
}
