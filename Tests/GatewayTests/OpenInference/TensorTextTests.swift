import Planning
import Schema
import TestSupport
import Testing

@testable import Gateway

@Suite("Tensors as JSON")
struct TensorTextTests {
    /// Decodes a request with one input.
    static func tensor(_ datatype: String, _ shape: String, _ data: String) throws -> Tensor {
        let body = #"{"inputs": [{"name": "x", "shape": \#(shape), "datatype": "\#(datatype)", "data": \#(data)}]}"#
        return try #require(try InferCall(Array(body.utf8)).inputs.first)
    }

    @Test("Integers keep every digit up to the ends of their range")
    func integers() throws {
        func row<Element: TensorElement & FixedWidthInteger>(_ type: Element.Type) throws {
            let text = "[\(Element.min), 0, -0, 7,\(Element.max)]"
            let tensor = try Self.tensor(Element.datatype.rawValue, "[5]", text)
            #expect(tensor.elements(as: type) == [.min, 0, 0, 7, .max])
            #expect(tensor.problem == nil)
        }
        try row(Int8.self)
        try row(Int16.self)
        try row(Int32.self)
        try row(Int64.self)
        try row(UInt8.self)
        try row(UInt16.self)
        try row(UInt32.self)
        try row(UInt64.self)
    }

    @Test(
        "A number that its datatype does not hold is refused by its place",
        arguments: [
            ("INT8", "128"), ("INT8", "-129"), ("UINT8", "-1"), ("UINT8", "256"), ("INT64", "9223372036854775808"),
            ("INT64", "-9223372036854775809"), ("UINT64", "18446744073709551616"), ("UINT64", "99999999999999999999"),
            ("INT32", "1.0"), ("INT32", "1e2"), ("INT32", "01"), ("INT32", "-"), ("INT32", "null"), ("INT32", "\"1\""),
            ("INT32", "true"), ("INT32", "NaN"), ("INT32", "+1"), ("FP32", "1e39"), ("FP64", "1e309"),
            ("FP32", "-1e39"),
            ("FP32", "01"), ("FP32", ".5"), ("FP32", "1."), ("FP32", "1e"), ("FP32", "1e+"), ("FP32", "-"),
            ("FP32", "nul"),
            ("FP32", "\"1\""), ("FP64", "true"), ("FP64", "-NaN"), ("BOOL", "1"), ("BOOL", "null"), ("BOOL", "True"),
            ("BYTES", "1"), ("BYTES", "null"), ("BYTES", #""\x""#), ("BYTES", #""\ud800""#),
        ]
    )
    func wrongElements(datatype: String, element: String) throws {
        let valid = datatype == "BYTES" ? "\"a\"" : datatype == "BOOL" ? "true" : "1"
        let error = #expect(throws: OpenAIError.self) {
            try Self.tensor(datatype, "[3]", "[\(valid), \(valid), \(element)]")
        }
        #expect(error?.parameter == "inputs[0].data")
        #expect(error?.message.contains("element 2") == true, "\(error?.message ?? "")")
    }

    @Test(
        "Decimal numbers become the nearest ones",
        arguments: [
            "0", "-0.0", "5.1", "5.099999904632568", "1e-5", "123456789.123456789", "1E+3", "0.1e-6",
            "9007199254740993",
            "3.4028234663852886e38", "1.17549435e-38", "1e-45", "1.4e-45", "7e-46", "-2.5", "16777217",
            "16777217.000000001", "1.00000005960464477539062500001", "0.30000000000000004", "1e22",
            "8.5899346600000000001e9", "100000000000000000000000", "0.000000000000000000000000000000000000000000001",
            "1e-400", "0e9999999999999999999999",
        ]
    )
    func decimals(text: String) throws {
        let double = try Self.tensor("FP64", "[1]", "[\(text)]").elements(as: Double.self)?.first
        #expect(double?.bitPattern == Double(text)?.bitPattern)
        let float = try Self.tensor("FP32", "[1]", "[\(text)]").elements(as: Float.self)?.first
        #expect(float?.bitPattern == Float(text)?.bitPattern)
    }

    @Test("What JSON has no numbers for is read as common encoders write it", arguments: ["FP32", "FP64"])
    func notNumbers(datatype: String) throws {
        let tensor = try Self.tensor(datatype, "[4]", "[NaN, null,Infinity ,-Infinity]")
        let numbers = tensor.elements(as: Double.self) ?? tensor.elements(as: Float.self)?.map { Double($0) } ?? []
        #expect(numbers.map(\.isNaN) == [true, true, false, false])
        #expect(numbers.dropFirst(2) == [.infinity, -.infinity])
    }

    @Test("Truth values and texts are read as they are")
    func others() throws {
        #expect(try Self.tensor("BOOL", "[2]", "[true,false]").bytes == [1, 0])
        let texts = try Self.tensor("BYTES", "[5]", #"["", "a,]b", "é", "q\"\\\n\u00e9\ud83d\ude00", " "]"#)
        #expect(texts.texts?.map { String(decoding: $0, as: UTF8.self) } == ["", "a,]b", "é", "q\"\\\né😀", " "])
        #expect(texts.problem == nil)
    }

    @Test(
        "Data are flat, or nested as their shape is",
        arguments: [
            ("[2, 3]", "[1,2,3,4,5,6]"), ("[2, 3]", "[[1,2,3],[4,5,6]]"), ("[2, 3]", " [ [ 1 , 2,3 ] , [4,5,6] ] "),
            ("[6]", "[1,2,3,4,5,6]"), ("[1, 2, 3]", "[[[1,2,3],[4,5,6]]]"), ("[3, 1, 2]", "[[[1,2]],[[3,4]],[[5,6]]]"),
            ("[6, 1]", "[[1],[2],[3],[4],[5],[6]]"),
        ]
    )
    func shapes(shape: String, data: String) throws {
        let tensor = try Self.tensor("INT32", shape, data)
        #expect(tensor.elements(as: Int32.self) == [1, 2, 3, 4, 5, 6])
        #expect(tensor.problem == nil)
    }

    @Test(
        "Tensors may have one element, or none",
        arguments: [
            ("[]", "[1]", 1), ("[0]", "[]", 0), ("[0, 3]", "[]", 0), ("[2, 0]", "[[],[]]", 0), ("[0, 9]", "[ ]", 0),
        ]
    )
    func fewElements(shape: String, data: String, count: Int) throws {
        #expect(try Self.tensor("INT8", shape, data).bytes.count == count)
    }

    @Test(
        "Data unlike their shape are refused",
        arguments: [
            ("[2, 3]", "[1,2,3,4,5]"), ("[2, 3]", "[1,2,3,4,5,6,7]"), ("[2, 3]", "[[1,2],[3,4],[5,6]]"),
            ("[2, 3]", "[[1,2,3]]"), ("[2, 3]", "[[1,2,3],[4,5,6],[7,8,9]]"), ("[2, 3]", "[[1,2,3],4,5,6]"),
            ("[2, 3]", "[[[1,2,3],[4,5,6]]]"), ("[2]", "[[1],[2]]"), ("[]", "[]"), ("[2]", "[]"), ("[0]", "[1]"),
            ("[3]", "[1,2,]"), ("[3]", "[1 2 3]"), ("[3]", "[1,,2]"), ("[3]", "[1,2,3x]"), ("[2]", "[,]"),
            ("[1]", "[{}]"), ("[9999999999]", "[1]"), ("[4294967296, 4294967296]", "[1]"), ("[1]", "\"1\""),
            ("[1]", "1"),
            ("[1]", "{}"),
        ]
    )
    func wrongShapes(shape: String, data: String) {
        let error = #expect(throws: OpenAIError.self) { try Self.tensor("INT32", shape, data) }
        #expect(error?.status == 400)
        #expect(error?.parameter?.hasPrefix("inputs[0].") == true)
    }

    @Test("Half floats have no JSON form", arguments: ["FP16", "BF16"])
    func halfFloats(datatype: String) {
        let error = #expect(throws: OpenAIError.self) { try Self.tensor(datatype, "[1]", "[1]") }
        #expect(error?.message.contains("send it as binary data") == true)
    }
}
