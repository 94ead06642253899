import Planning
import Schema
import Synchronization
import Testing

@testable import Serving

/// Ids `id1`, `id2`, …
func countingIdentifiers() -> @Sendable () -> String {
    let count = Mutex(0)
    return {
        count.withLock {
            $0 += 1
            return "id\($0)"
        }
    }
}

struct ToolCallReaderTests {
    /// What an answer says, with its calls as `name(arguments)`.
    private static func read(
        _ text: String,
        _ format: ToolFormat,
        by size: Int,
        startsInCalls: Bool = false,
        offered: Set<String>? = nil,
        isStructured: Bool = false,
        isCut: Bool = false
    ) throws -> [String] {
        var reader = ToolCallReader(
            format,
            startsInCalls: startsInCalls,
            offered: offered,
            isStructured: isStructured,
            identifiers: countingIdentifiers()
        )
        var rest = Array(text.unicodeScalars)[...]
        var said = ""
        var calls: [String] = []
        while !rest.isEmpty {
            var piece = ""
            piece.unicodeScalars.append(contentsOf: rest.prefix(size))
            rest = rest.dropFirst(size)
            for found in try reader.read(piece) {
                switch found {
                case .text(let text): said += text
                case .call(let piece):
                    if let opening = piece.opening { calls.append("\(opening.id) \(opening.name) ") }
                    #expect(piece.index == calls.count - 1)
                    calls[piece.index] += piece.arguments
                }
            }
        }
        said += try reader.finish(isCut: isCut)
        return [said] + calls
    }

    @Test(
        "Text and calls are told apart, however the answer is cut into pieces",
        arguments: [
            (.tagged, "Hello <b> <tool_cal", ["Hello <b> <tool_cal"]),
            (.tagged, "<<tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call>", ["<", "id1 f {}"]),
            (
                .tagged,
                "Sure.\n<tool_call>\n{\"name\": \"a\", \"arguments\": {\"x\": \"}\\\"{\"}}\n</tool_call>\n<tool_call>"
                    + "{\"name\":\"b\",\"arguments\":{\"y\":[{}]} }</tool_call>",
                ["Sure.\n", "id1 a {\"x\": \"}\\\"{\"}", "id2 b {\"y\":[{}]}"]
            ),
            (.tagged, "<tool_call>{\"name\": \"f\"}</tool_call>", ["", "id1 f {}"]),
            (.bare, " {\"name\": \"f\", \"parameters\": {\"é\": 1}}", ["", "id1 f {\"é\": 1}"]),
            (.bare, "No {call}.", ["No {call}."]),
            (
                .list, "[{\"name\": \"f\", \"arguments\": {}}, {\"name\": \"g\", \"arguments\": {}, \"id\": \"x\"}]",
                [
                    "", "id1 f {}", "id2 g {}",
                ]
            ),
            (.list, "", [""]),
        ] as [(ToolFormat, String, [String])]
    )
    func reading(format: ToolFormat, text: String, expected: [String]) throws {
        for size in [1, 2, 3, 7, 1000] {
            #expect(try Self.read(text, format, by: size) == expected)
        }
    }

    @Test(
        "JSON that calls none of the functions is the answer, whole",
        arguments: [
            (.bare, #"{"name": "f", "parameters": {"a": 1}}"#, #"id1 f {"a": 1}"#),
            (.bare, #" {"reply": {"name": "f", "parameters": {}}}"#, nil),
            (.bare, #"{"name": "sofa", "parameters": {}}"#, nil),
            (.bare, #"{"parameters": {}, "name": "f"}"#, nil),
            (.bare, #"{"name": "f", "price": 5}"#, nil),
            (.bare, #"{"name": "f""#, nil),
            (.bare, "{}", nil),
            (.bare, #"[{"name": "f", "parameters": {}}]"#, nil),
            (.list, #"[{"name": "f", "arguments": {}}]"#, "id1 f {}"),
            (.list, #"[TOOL_CALLS] [{"name": "f", "arguments": {}}]"#, "id1 f {}"),
            (.list, "[ ]", nil),
            (.list, #"[1, {"name": "f", "arguments": {}}]"#, nil),
            (.list, #"[{"name": "sofa"}, {"name": "f"}]"#, nil),
            (.list, #"{"name": "f", "arguments": {}}"#, nil),
            (.list, #" ["[TOOL_CALLS]"]"#, nil),
            (.tagged, #"{"a": "<tool_call>"}"#, nil),
            (.tagged, #"<tool_call>{"name": "f", "arguments": {}}</tool_call>"#, "id1 f {}"),
        ] as [(ToolFormat, String, String?)]
    )
    func structured(format: ToolFormat, text: String, call: String?) throws {
        for size in [1, 2, 5, 1000] {
            let read = try Self.read(text, format, by: size, offered: ["f", "g"], isStructured: true)
            #expect(read == (call.map { ["", $0] } ?? [text]))
        }
    }

    @Test("An answer whose calls the prompt began reads the same")
    func startsInCalls() throws {
        let text = #"[{"name": "f", "arguments": {"a": 1}}]"#
        #expect(try Self.read(text, .list, by: 4, startsInCalls: true) == ["", #"id1 f {"a": 1}"#])
    }

    @Test(
        "What is no call is an error, unless a limit cut it off",
        arguments: [
            "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\"", "<tool_call>{\"arguments\": {}}",
            "<tool_call>{\"name\": \"f\", \"arguments\": 1}", "<tool_call>{name: 1}",
        ]
    )
    func unreadable(text: String) throws {
        let error = #expect(throws: MartletError.self) { try Self.read(text, .tagged, by: 5) }
        #expect(error?.code == "ToolCallUnreadable")
        if text.hasSuffix("\"a\"") {
            #expect(try Self.read(text, .tagged, by: 5, isCut: true) == ["", "id1 f {\"a\""])
        }
    }
}
