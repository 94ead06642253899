import Planning
import Schema
import Testing

@testable import Serving

struct TensorRecordTests {
    private static let cases: [(Tensor, String, JSONValue)] = [
        (Tensor(name: "x", shape: [1, 2], elements: [1.5, -2] as [Float]), "data", [1.5, -2.0]),
        (Tensor(name: "x", shape: [1], elements: [Int64.min]), "data", [.integer(.min)]),
        (Tensor(name: "x", shape: [1], elements: [UInt64.max]), "base64", "//////////8="),
        (Tensor(name: "x", shape: [1], elements: [Float.nan]), "base64", "AADAfw=="),
        (Tensor(name: "x", shape: [2], texts: ["a", "é"]), "data", ["a", "é"]),
        (Tensor(name: "x", datatype: .bool, shape: [2], bytes: [1, 0]), "data", [true, false]),
        (Tensor(name: "x", datatype: .bf16, shape: [1], bytes: [0x80, 0x3F]), "base64", "gD8="),
        (
            Tensor(name: "x", datatype: .uint8, shape: [1 << 20 + 1], bytes: .init(repeating: 0, count: 1 << 21)),
            "omittedBytes", .integer(1 << 21)
        ),
    ]

    @Test(
        "small tensors are written down element by element, others as bytes, large ones by their size alone",
        arguments: TensorRecordTests.cases
    )
    func forms(tensor: Tensor, key: String, value: JSONValue) {
        let recorded = tensor.recorded
        #expect(recorded[key] == value)
        #expect(recorded["name"] == "x")
        #expect(recorded["datatype"] == .string(tensor.datatype.rawValue))
        #expect(recorded.object?.count == 4)
    }

    @Test("as many elements as are spelled out, and one more")
    func limit() {
        let fits = Tensor(name: "x", shape: [1024], elements: [UInt8](repeating: 7, count: 1024))
        #expect(fits.recorded["data"]?.array?.count == 1024)
        let more = Tensor(name: "x", shape: [1025], elements: [UInt8](repeating: 7, count: 1025))
        #expect(more.recorded["base64"] != nil)
    }
}
