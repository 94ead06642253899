internal import CLibYAML

/// What libyaml's parser reports, one after the other.
enum YAMLEvent {
    case documentStart(YAMLMark)
    case documentEnd
    case streamEnd
    case alias(name: String, YAMLMark)
    case scalar(YAMLEventScalar, YAMLMark)
    case sequenceStart(YAMLProperties, YAMLMark)
    case sequenceEnd
    case mappingStart(YAMLProperties, YAMLMark)
    case mappingEnd
}

/// The anchor and the tag in front of a node.
struct YAMLProperties {
    var anchor: String?
    /// In full: `tag:yaml.org,2002:str`.
    var tag: String?
}

/// A scalar as it stands in the text.
struct YAMLEventScalar {
    var text: String
    var isPlain: Bool
    var properties: YAMLProperties
}

/// A document that is not YAML, or not the YAML that manifests may use.
struct YAMLSyntaxError: Error {
    var mark: YAMLMark
    var message: String
}

/// The only code that touches libyaml; no pointer of it leaves this file.
final class YAMLEventReader {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let input: UnsafeBufferPointer<UInt8>
    private let positions: YAMLPositions

    /// Reads `input`, which must outlive the reader; its first line is line `firstLine` of the file.
    init(_ input: UnsafeBufferPointer<UInt8>, firstLine: Int) throws(YAMLSyntaxError) {
        self.input = input
        self.positions = YAMLPositions(input, firstLine: firstLine)
        self.parser = .allocate(capacity: 1)
        guard yaml_parser_initialize(self.parser) == 1 else {
            self.parser.deallocate()
            throw YAMLSyntaxError(mark: YAMLMark(line: firstLine, column: 1), message: "out of memory")
        }
        yaml_parser_set_encoding(self.parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(self.parser, input.baseAddress, input.count)
    }

    deinit {
        yaml_parser_delete(self.parser)
        self.parser.deallocate()
    }

    /// The next event; after `streamEnd` there is none to ask for.
    func next() throws(YAMLSyntaxError) -> YAMLEvent {
        var event = yaml_event_t()
        repeat {
            guard yaml_parser_parse(self.parser, &event) == 1 else { throw self.syntaxError() }
        } while event.type == YAML_STREAM_START_EVENT
        defer { yaml_event_delete(&event) }
        let mark = self.positions.mark(event.start_mark)
        switch event.type {
        case YAML_DOCUMENT_START_EVENT: return .documentStart(mark)
        case YAML_DOCUMENT_END_EVENT: return .documentEnd
        case YAML_ALIAS_EVENT: return .alias(name: Self.string(event.data.alias.anchor) ?? "", mark)
        case YAML_SCALAR_EVENT: return .scalar(Self.scalar(event.data.scalar), mark)
        case YAML_SEQUENCE_START_EVENT:
            let start = event.data.sequence_start
            return .sequenceStart(.init(anchor: Self.string(start.anchor), tag: Self.string(start.tag)), mark)
        case YAML_SEQUENCE_END_EVENT: return .sequenceEnd
        case YAML_MAPPING_START_EVENT:
            let start = event.data.mapping_start
            return .mappingStart(.init(anchor: Self.string(start.anchor), tag: Self.string(start.tag)), mark)
        case YAML_MAPPING_END_EVENT: return .mappingEnd
        default: return .streamEnd
        }
    }

    private static func scalar(_ scalar: yaml_event_s.__Unnamed_union_data.__Unnamed_struct_scalar) -> YAMLEventScalar {
        let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
        return YAMLEventScalar(
            text: String(decoding: bytes, as: UTF8.self),
            isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE,
            properties: YAMLProperties(anchor: self.string(scalar.anchor), tag: self.string(scalar.tag))
        )
    }

    private static func string(_ text: UnsafePointer<yaml_char_t>?) -> String? {
        text.map { String(cString: $0) }
    }

    private func syntaxError() -> YAMLSyntaxError {
        let parser = self.parser.pointee
        let problem = parser.problem.map { String(cString: $0) } ?? "out of memory"
        if parser.error == YAML_READER_ERROR {
            let mark = self.positions.mark(ofByte: parser.problem_offset)
            return YAMLSyntaxError(mark: mark, message: "not YAML: \(problem)")
        }
        // At the end of a text without a line break, libyaml is on the line after it.
        let mark = min(self.positions.mark(parser.problem_mark), self.positions.mark(ofByte: self.input.count))
        if self.positions.byte(at: parser.problem_mark) == UInt8(ascii: "\t"),
            problem.contains("cannot start any token")
        {
            return YAMLSyntaxError(mark: mark, message: "not YAML: a tab cannot indent; use spaces")
        }
        let begun = self.positions.mark(parser.context_mark)
        let context =
            parser.context.map { " \(String(cString: $0)) that begins at \(begun.line):\(begun.column)" } ?? ""
        return YAMLSyntaxError(mark: mark, message: "not YAML: \(problem)\(context)")
    }
}
