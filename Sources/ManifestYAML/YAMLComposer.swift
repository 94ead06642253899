internal import Schema

/// Builds the tree of one document from the parser's events.
struct YAMLComposer {
    /// A node with what walking it costs.
    private struct Composed {
        var node: YAMLNode
        /// Levels of lists and mappings.
        var height = 0
        /// Aliases met on a walk.
        var expansions = 0
        /// Values met on a walk, this one included.
        var values = 1
    }

    /// A list or mapping whose end has not come yet.
    private struct Frame {
        enum Key {
            case expected
            case given(String, YAMLMark)
            /// A plain `<<`.
            case merge
            /// Reported already; the value is dropped.
            case refused
        }

        var isMapping: Bool
        var mark: YAMLMark
        var anchor: String?
        var elements: [YAMLNode] = []
        var entries: [YAMLMapping.Entry] = []
        var merged: [YAMLNode] = []
        var key = Key.expected
        var firstKey: YAMLMark?
        var hasMergeKey = false
        var cost = Composed(node: YAMLNode(.invalid, at: YAMLMark(line: 0, column: 0)))
    }

    private let limits: YAMLLimits
    private var frames: [Frame] = []
    private var anchors: [String: Composed] = [:]
    private var root: YAMLNode?
    private var problems: [YAMLSyntaxError] = []
    private var expansions = 0
    private var expandedValues = 0

    private init(limits: YAMLLimits) {
        self.limits = limits
    }

    /// Reads one document; its first line is line `firstLine` of the file.
    static func compose(_ input: UnsafeBufferPointer<UInt8>, firstLine: Int, limits: YAMLLimits) -> YAMLDocument {
        var composer = YAMLComposer(limits: limits)
        do throws(YAMLSyntaxError) {
            try composer.readDocument(YAMLEventReader(input, firstLine: firstLine))
            return YAMLDocument(root: composer.root, problems: composer.problems, isComplete: true)
        } catch {
            composer.closeEverything()
            return YAMLDocument(root: composer.root, problems: composer.problems + [error], isComplete: false)
        }
    }

    private mutating func readDocument(_ reader: YAMLEventReader) throws(YAMLSyntaxError) {
        var hasBegun = false
        while true {
            switch try reader.next() {
            case .documentStart(let mark):
                if hasBegun {
                    throw YAMLSyntaxError(mark: mark, message: "a second document must begin with '---' on a line")
                }
                hasBegun = true
            case .documentEnd: continue
            case .streamEnd: return
            case .alias(let name, let mark): try self.add(self.resolve(name, at: mark))
            case .scalar(let scalar, let mark): try self.add(scalar, at: mark)
            case .sequenceStart(let properties, let mark): try self.open(false, properties, at: mark)
            case .mappingStart(let properties, let mark): try self.open(true, properties, at: mark)
            case .sequenceEnd, .mappingEnd: try self.close()
            }
        }
    }

    private mutating func open(
        _ isMapping: Bool,
        _ properties: YAMLProperties,
        at mark: YAMLMark
    ) throws(YAMLSyntaxError) {
        guard self.frames.count < self.limits.depth else { throw self.tooDeep(mark) }
        _ = try self.check(properties.tag, allowed: isMapping ? ["map"] : ["seq"], at: mark)
        self.frames.append(Frame(isMapping: isMapping, mark: mark, anchor: properties.anchor))
    }

    private mutating func close() throws(YAMLSyntaxError) {
        guard let frame = self.frames.popLast() else { return }
        var composed = frame.cost
        composed.height += 1
        composed.node = self.node(of: frame)
        if let anchor = frame.anchor { self.anchors[anchor] = composed }
        try self.add(composed)
    }

    private func node(of frame: Frame) -> YAMLNode {
        guard frame.isMapping else { return YAMLNode(.sequence(frame.elements), at: frame.mark) }
        var entries = frame.entries
        if !frame.merged.isEmpty {
            var seen = Set(entries.map(\.key))
            for case .mapping(let source) in frame.merged.map(\.content) {
                for var entry in source.entries where seen.insert(entry.key).inserted {
                    entry.isMerged = true
                    entries.append(entry)
                }
            }
        }
        return YAMLNode(.mapping(YAMLMapping(entries: entries, firstKey: frame.firstKey ?? frame.mark)), at: frame.mark)
    }

    private mutating func add(_ scalar: YAMLEventScalar, at mark: YAMLMark) throws(YAMLSyntaxError) {
        let tag = try self.check(scalar.properties.tag, allowed: ["str", "int", "float", "bool", "null"], at: mark)
        let isPlain: Bool
        switch tag {
        case .none: isPlain = scalar.isPlain
        case "str"?, ""?: isPlain = false
        default: isPlain = true
        }
        let composed = Composed(node: YAMLNode(.scalar(YAMLScalar(text: scalar.text, isPlain: isPlain)), at: mark))
        if let anchor = scalar.properties.anchor { self.anchors[anchor] = composed }
        try self.add(composed)
    }

    /// Puts a finished node where it belongs: the root, an element, a key or a value.
    private mutating func add(_ composed: Composed) throws(YAMLSyntaxError) {
        guard !self.frames.isEmpty else {
            self.root = composed.node
            return
        }
        let last = self.frames.count - 1
        let height = composed.height - self.levelsThatMergingRemoves(composed.node, in: self.frames[last])
        guard self.frames.count + height <= self.limits.depth else { throw self.tooDeep(composed.node.mark) }
        self.frames[last].cost.height = max(self.frames[last].cost.height, height)
        self.frames[last].cost.expansions += composed.expansions
        self.frames[last].cost.values += composed.values
        guard self.frames[last].isMapping else {
            self.frames[last].elements.append(composed.node)
            return
        }
        switch self.frames[last].key {
        case .expected:
            self.frames[last].firstKey = self.frames[last].firstKey ?? composed.node.mark
            self.frames[last].key = try self.key(composed.node)
        case .merge:
            self.frames[last].key = .expected
            try self.merge(composed.node)
        case .given(let name, let mark):
            self.frames[last].key = .expected
            self.frames[last].entries.append(
                YAMLMapping.Entry(key: name, keyMark: mark, value: composed.node, isMerged: false)
            )
        case .refused:
            self.frames[last].key = .expected
        }
    }
}

extension YAMLComposer {
    /// What an alias stands for; reports an unknown one.
    private mutating func resolve(_ name: String, at mark: YAMLMark) throws(YAMLSyntaxError) -> Composed {
        guard var target = self.anchors[name] else {
            let isOpen = self.frames.contains { $0.anchor == name }
            let reason = isOpen ? "stands inside what it stands for" : "has no anchor '&\(name)' before it"
            let isWorthAHint = !isOpen && self.anchors.count <= 200
            let hint = isWorthAHint ? NearestWord.hint(for: name, among: self.anchors.keys) : ""
            try self.report("alias '*\(name)' \(reason)\(hint)", at: mark)
            return Composed(node: YAMLNode(.invalid, at: mark))
        }
        target.expansions += 1
        target.node.mark = mark
        try self.count(target.expansions, values: target.values, at: mark)
        return target
    }

    private mutating func count(_ expansions: Int, values: Int, at mark: YAMLMark) throws(YAMLSyntaxError) {
        self.expansions += expansions
        self.expandedValues += values
        guard self.expansions <= self.limits.expansions else {
            throw YAMLSyntaxError(
                mark: mark,
                message: "more than \(self.limits.expansions) aliases and merge keys, those inside aliases counted"
            )
        }
        guard self.expandedValues <= self.limits.expandedValues else {
            throw YAMLSyntaxError(
                mark: mark,
                message: "aliases and merge keys add more than \(self.limits.expandedValues) values"
            )
        }
    }

    private mutating func key(_ node: YAMLNode) throws(YAMLSyntaxError) -> Frame.Key {
        guard case .scalar(let scalar) = node.content else {
            if case .invalid = node.content { return .refused }
            self.problems.append(
                YAMLSyntaxError(mark: node.mark, message: "a key must be a text, not a list or mapping")
            )
            return .refused
        }
        guard scalar.isPlain else { return .given(scalar.text, node.mark) }
        if scalar.text.isEmpty {
            try self.report("a key is missing before ':'", at: node.mark)
            return .refused
        }
        guard scalar.text == "<<" else { return .given(scalar.text, node.mark) }
        let last = self.frames.count - 1
        if self.frames[last].hasMergeKey {
            try self.report("duplicate merge key; write '<<: [*first, *second]'", at: node.mark)
        }
        self.frames[last].hasMergeKey = true
        return .merge
    }

    /// Takes the value of a merge key: a mapping, or a list of mappings of which the first one wins.
    private mutating func merge(_ value: YAMLNode) throws(YAMLSyntaxError) {
        let sources: [YAMLNode]
        switch value.content {
        case .sequence(let elements): sources = elements
        case .mapping, .scalar, .invalid: sources = [value]
        }
        for source in sources {
            switch source.content {
            case .mapping(let mapping):
                try self.count(1, values: mapping.entries.count, at: source.mark)
                self.frames[self.frames.count - 1].merged.append(source)
            case .scalar, .sequence:
                try self.report("a merge key takes a mapping or a list of mappings", at: source.mark)
            case .invalid:
                continue
            }
        }
    }

    /// Reports a tag that is not one of the `allowed` core tags, and returns the core tag's short name.
    private mutating func check(
        _ tag: String?,
        allowed: [String],
        at mark: YAMLMark
    ) throws(YAMLSyntaxError) -> String? {
        guard let tag else { return nil }
        if tag == "!" { return "" }
        let prefix = "tag:yaml.org,2002:"
        if tag.hasPrefix(prefix), case let name = String(tag.dropFirst(prefix.count)), allowed.contains(name) {
            return name
        }
        let spelling = tag.hasPrefix(prefix) ? "!!\(tag.dropFirst(prefix.count))" : tag
        try self.report("tag '\(spelling)' is not available here; remove it", at: mark)
        return nil
    }

    /// The entries of a merged mapping become entries of the mapping around it.
    private func levelsThatMergingRemoves(_ node: YAMLNode, in frame: Frame) -> Int {
        guard frame.isMapping, case .merge = frame.key else { return 0 }
        switch node.content {
        case .mapping: return 1
        case .sequence(let elements): return elements.isEmpty ? 1 : 2
        case .scalar, .invalid: return 0
        }
    }

    private mutating func report(_ problem: String, at mark: YAMLMark) throws(YAMLSyntaxError) {
        guard self.problems.count < self.limits.diagnostics else {
            throw YAMLSyntaxError(mark: mark, message: "too many problems; the rest of the document is not read")
        }
        self.problems.append(YAMLSyntaxError(mark: mark, message: problem))
    }

    private func tooDeep(_ mark: YAMLMark) -> YAMLSyntaxError {
        YAMLSyntaxError(mark: mark, message: "nested deeper than \(self.limits.depth) levels")
    }

    /// Ends every open list and mapping, so that what was read before an error can be looked at.
    private mutating func closeEverything() {
        while let frame = self.frames.popLast() {
            let node = self.node(of: frame)
            guard let last = self.frames.indices.last else {
                self.root = node
                return
            }
            if !self.frames[last].isMapping {
                self.frames[last].elements.append(node)
            } else if case .given(let name, let mark) = self.frames[last].key {
                self.frames[last].entries.append(.init(key: name, keyMark: mark, value: node, isMerged: false))
            }
        }
    }
}
