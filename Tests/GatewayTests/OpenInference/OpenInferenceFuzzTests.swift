import NIOCore
import Planning
import Schema
import TestSupport
import Testing

@testable import Gateway

/// Requests to infer with random damage: the decoder always comes back, with memory in proportion to the request, and what
/// it takes is what was sent.
@Suite(.timeLimit(.minutes(60))) struct OpenInferenceFuzzTests {
    private static let damage = ByteDamage(
        tokens: [
            "[", "]", "{", "}", "\"", "\\", ",", ":", "null", "NaN", "-Infinity", "1e999", "-", "0",
            "99999999999999999999", "\\ud800", "\"data\":", "\"shape\":[9999999999]",
            "\"binary_data_size\":4294967297", "true", "\u{0}", "é", " ",
        ]
    )

    @Test("Tensors in JSON", arguments: FuzzInputs.parts(of: 1_000_000))
    func json(inputs: FuzzInputs) throws {
        try inputs.forEach { random in
            let request = RandomRequest(isBinary: false, &random)
            let whole = try InferCall(request.body)
            try #require(whole.inputs == request.inputs, "\(String(decoding: request.body, as: UTF8.self))")
            let body = Self.damage.damaged(request.body, &random)
            try Self.decode(body) { call in
                try #require(call.inputs.allSatisfy { $0.problem == nil }, "\(String(decoding: body, as: UTF8.self))")
            }
        }
    }

    @Test("Tensors behind the JSON", arguments: FuzzInputs.parts(of: 1_000_000))
    func binary(inputs: FuzzInputs) throws {
        try inputs.forEach { random in
            let request = RandomRequest(isBinary: true, &random)
            let whole = try InferCall(request.body, headerLength: request.headerLength)
            try #require(whole.inputs == request.inputs, "\(String(decoding: request.body, as: UTF8.self))")
            // One part stays what it was in half of the cases, so that damage reaches the other.
            var json = Array(request.body.prefix(request.headerLength ?? 0))
            var rest = Array(request.body.dropFirst(json.count))
            if random.oneIn(2) { json = Self.damage.damaged(json, &random) }
            if random.oneIn(2) { rest = Self.damage.damaged(rest, &random) }
            let length = random.oneIn(8) ? Int.random(in: 0...json.count + rest.count, using: &random) : json.count
            try Self.decode(json + rest, headerLength: length) { _ in }
        }
    }

    /// What is written can be read, and is what it was.
    @Test(arguments: FuzzInputs.parts(of: 200_000))
    func answersAreReadAsTheyWere(inputs: FuzzInputs) throws {
        try inputs.forEach { random in
            let request = RandomRequest(isBinary: random.oneIn(2), &random)
            let call = try InferCall(request.body, headerLength: request.headerLength)
            let answer = try InferAnswer(call.inputs, to: call, model: "m", version: "1")
            let body = Array(answer.body.readableBytesView)
            // An answer's outputs have the form of a request's inputs.
            let json = String(decoding: body.prefix(answer.headerLength ?? body.count), as: UTF8.self)
            let outputs = try #require(json.firstRange(of: "\"outputs\":")?.upperBound)
            let echo = "{\"inputs\":" + json[outputs...]
            let read = try InferCall(
                Array(echo.utf8) + body.dropFirst(answer.headerLength ?? body.count),
                headerLength: answer.headerLength.map { _ in echo.utf8.count }
            )
            try #require(read.inputs == call.inputs, "\(json)")
        }
    }

    /// A request or a refusal; neither is large beside what came.
    private static func decode(
        _ body: [UInt8],
        headerLength: Int? = nil,
        _ check: (InferCall) throws -> Void
    ) throws {
        do {
            let call = try InferCall(body, headerLength: headerLength)
            let size = call.inputs.reduce(0) { $0 + $1.bytes.count }
            try #require(size <= 8 * body.count, "\(size) bytes of \(body.count)")
            try check(call)
        } catch let error as OpenAIError {
            try #require(error.status == 400)
            try #require(error.message.utf8.count < 4 * body.count + 500)
        }
    }
}

/// A request to infer of random tensors, in one of the ways to write it.
private struct RandomRequest {
    var inputs: [Tensor] = []
    var body: [UInt8] = []
    /// Nil for one without binary data.
    var headerLength: Int?

    /// - Parameter isBinary: whether data of some tensors, of the first one at least, stand behind the JSON.
    init(isBinary: Bool, _ random: inout SeededRandom) {
        var binary: [UInt8] = []
        var texts: [String] = []
        for index in 0..<Int.random(in: (isBinary ? 1 : 0)...3, using: &random) {
            let tensor = Self.tensor("x\(index)", canBeHalf: isBinary, &random)
            let members: [String]
            if isBinary, index == 0 || tensor.datatype == .fp16 || tensor.datatype == .bf16 || random.oneIn(2) {
                members = ["\"parameters\":{\"binary_data_size\":\(tensor.bytes.count)}"]
                binary += tensor.bytes
            } else {
                members = ["\"data\":\(Self.data(of: tensor, nested: random.oneIn(2)))"]
            }
            let shape = tensor.shape.map { "\($0)" }.joined(separator: ", ")
            let others = [
                "\"name\":\"x\(index)\"", "\"datatype\":\"\(tensor.datatype.rawValue)\"", "\"shape\": [\(shape)]",
            ]
            texts.append("{\((members + others).shuffled(using: &random).joined(separator: ", "))}")
            self.inputs.append(tensor)
        }
        // Half floats go back as binary data only.
        let parameters = random.oneIn(2) || isBinary ? "\"parameters\":{\"binary_data_output\":true}, " : ""
        let json = "{\(parameters)\"inputs\": [\(texts.joined(separator: ","))]}"
        self.body = Array(json.utf8) + binary
        self.headerLength = isBinary ? json.utf8.count : nil
    }

    /// - Parameter canBeHalf: whether half floats may come, which JSON cannot give.
    private static func tensor(_ name: String, canBeHalf: Bool, _ random: inout SeededRandom) -> Tensor {
        let shape = (0..<Int.random(in: 0...3, using: &random)).map { _ in Int.random(in: 0...3, using: &random) }
        let datatype = random.pick(
            TensorDatatype.allCases.filter { canBeHalf || ($0 != .fp16 && $0 != .bf16) }
        )
        let count = shape.reduce(1, *)
        guard let width = datatype.width else {
            let alphabet = ["a", "é", "\"", "\\", "\n", "]", ",", "🐦"]
            let texts = (0..<count).map { _ in
                (0..<Int.random(in: 0...4, using: &random)).map { _ in random.pick(alphabet) }.joined()
            }
            return Tensor(name: name, shape: shape, texts: texts)
        }
        let isBool = datatype == .bool
        let bytes = (0..<count * width).map { _ in UInt8.random(in: 0...(isBool ? 1 : 255), using: &random) }
        var tensor = Tensor(name: name, datatype: datatype, shape: shape, bytes: bytes)
        // Numbers that are none are equal to nothing, infinities are no JSON.
        if let floats = tensor.elements(as: Float.self) {
            tensor = Tensor(name: name, shape: shape, elements: floats.map { $0.isFinite ? $0 : -0.5 })
        } else if let doubles = tensor.elements(as: Double.self) {
            tensor = Tensor(name: name, shape: shape, elements: doubles.map { $0.isFinite ? $0 : 1e-5 })
        }
        return tensor
    }

    private static func data(of tensor: Tensor, nested: Bool) -> String {
        let elements = Self.elements(of: tensor)
        guard nested, !tensor.shape.isEmpty else { return "[\(elements.joined(separator: ","))]" }
        var rows = elements
        for level in tensor.shape.indices.reversed() {
            let length = tensor.shape[level]
            let count = tensor.shape[..<level].reduce(1, *)
            rows = (0..<count).map { "[\(rows[$0 * length..<($0 + 1) * length].joined(separator: ", "))]" }
        }
        return rows[0]
    }

    private static func elements(of tensor: Tensor) -> [String] {
        func words<Element: TensorElement>(_ type: Element.Type) -> [String] {
            (tensor.elements(as: type) ?? []).map { "\($0)" }
        }
        return switch tensor.datatype {
        case .bool: tensor.bytes.map { $0 == 0 ? "false" : "true" }
        case .uint8: words(UInt8.self)
        case .uint16: words(UInt16.self)
        case .uint32: words(UInt32.self)
        case .uint64: words(UInt64.self)
        case .int8: words(Int8.self)
        case .int16: words(Int16.self)
        case .int32: words(Int32.self)
        case .int64: words(Int64.self)
        case .fp32: words(Float.self)
        case .fp64: words(Double.self)
        case .fp16, .bf16: []
        case .bytes: (tensor.texts ?? []).map { JSONValue.string(String(decoding: $0, as: UTF8.self)).canonicalJSON }
        }
    }
}
