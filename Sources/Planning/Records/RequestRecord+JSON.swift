internal import Schema

extension RequestRecord {
    /// The record as JSON: what `Codable` writes, for a small part of the time.
    package var json: [UInt8] {
        var object = ObjectText(reserving: self.size)
        object.add("id", self.id)
        object.add("startedAt", self.startedAt.milliseconds)
        object.add("microseconds", self.microseconds)
        object.add("operation", self.operation.rawValue)
        object.add("variant", self.variant.description)
        object.add("tenant", self.tenant)
        object.add("revision", self.revision.digest.hex)
        object.add("commit", self.commit)
        object.add("isRecording", self.isRecording)
        object.add("replayOf", self.replayOf)
        object.add("status", self.status)
        object.add("errorMessage", self.errorMessage)
        object.add("usage", self.usage)
        object.add("input", self.input)
        object.add("parameters", self.parameters)
        object.add("output", self.output)
        object.add("steps", self.steps) { $0.add($1) }
        object.add("traceParent", self.traceParent)
        return object.finish()
    }

    /// About as many bytes as the record takes, in memory and as JSON.
    package var size: Int {
        let payload = (self.input?.size ?? 0) + (self.parameters?.size ?? 0) + (self.output?.size ?? 0)
        return 512 + payload + self.steps.reduce(0) { $0 + $1.size }
    }
}

extension StepRecord {
    fileprivate var size: Int {
        256 + (self.input?.size ?? 0) + (self.prompt?.size ?? 0) + (self.output?.size ?? 0)
            + self.children.reduce(0) { $0 + $1.size }
            + self.guards.reduce(0) { $0 + 64 + $1.detail.utf8.count }
            + self.passages.reduce(0) { $0 + 128 + $1.text.utf8.count }
    }
}

extension JSONValue {
    /// About as many bytes as the value takes as JSON.
    fileprivate var size: Int {
        switch self {
        case .null, .bool: 5
        case .integer, .number: 8
        case .string(let text): 2 + text.utf8.count
        case .array(let elements): elements.reduce(2) { $0 + 1 + $1.size }
        case .object(let members): members.reduce(2) { $0 + 4 + $1.key.utf8.count + $1.value.size }
        }
    }
}

/// The text of a JSON object that is being written.
private struct ObjectText {
    private var bytes: [UInt8] = []
    private var isEmpty = true

    init(reserving size: Int) {
        self.bytes.reserveCapacity(size)
        self.bytes.append(UInt8(ascii: "{"))
    }

    mutating func finish() -> [UInt8] {
        self.bytes.append(UInt8(ascii: "}"))
        return self.bytes
    }

    /// Writes a key that nothing in must be escaped.
    private mutating func key(_ key: StaticString) {
        if !self.isEmpty { self.bytes.append(UInt8(ascii: ",")) }
        self.isEmpty = false
        self.bytes.append(UInt8(ascii: "\""))
        key.withUTF8Buffer { self.bytes.append(contentsOf: $0) }
        self.bytes.append(UInt8(ascii: "\""))
        self.bytes.append(UInt8(ascii: ":"))
    }

    mutating func add(_ key: StaticString, _ value: String?) {
        guard let value else { return }
        self.key(key)
        JSONValue.append(quoted: value, to: &self.bytes)
    }

    mutating func add(_ key: StaticString, _ value: Int64) {
        self.key(key)
        self.bytes.append(contentsOf: String(value).utf8)
    }

    mutating func add(_ key: StaticString, _ value: Bool) {
        self.key(key)
        self.bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    mutating func add(_ key: StaticString, _ value: JSONValue?) {
        guard let value else { return }
        self.key(key)
        value.appendCanonical(to: &self.bytes)
    }

    mutating func add(_ key: StaticString, _ usage: TokenUsage?) {
        guard let usage else { return }
        self.add(key) { object in
            object.add("promptTokens", Int64(usage.promptTokens))
            object.add("completionTokens", Int64(usage.completionTokens))
            object.add("cachedTokens", Int64(usage.cachedTokens))
        }
    }

    mutating func add(_ key: StaticString, _ named: StepRecord.Named?) {
        guard let named else { return }
        self.add(key) { object in
            object.add("resource", named.resource)
            object.add("digest", named.digest)
        }
    }

    private mutating func add(_ key: StaticString, _ body: (inout ObjectText) -> Void) {
        self.key(key)
        self.object(body)
    }

    private mutating func object(_ body: (inout ObjectText) -> Void) {
        self.bytes.append(UInt8(ascii: "{"))
        self.isEmpty = true
        body(&self)
        self.bytes.append(UInt8(ascii: "}"))
        self.isEmpty = false
    }

    /// Writes an array of objects, each filled by `body`.
    mutating func add<Element>(
        _ key: StaticString,
        _ elements: [Element],
        _ body: (inout ObjectText, Element) -> Void
    ) {
        self.key(key)
        self.bytes.append(UInt8(ascii: "["))
        for (index, element) in elements.enumerated() {
            if index > 0 { self.bytes.append(UInt8(ascii: ",")) }
            self.object { body(&$0, element) }
        }
        self.bytes.append(UInt8(ascii: "]"))
    }

    mutating func add(_ step: StepRecord) {
        self.add("name", step.name)
        self.add("type", step.type)
        self.add("startMicroseconds", step.startMicroseconds)
        self.add("microseconds", step.microseconds)
        self.add("status", step.status.rawValue)
        self.add("attempts", Int64(step.attempts))
        self.add("input", step.input)
        self.add("prompt", step.prompt)
        self.add("output", step.output)
        self.add("usage", step.usage)
        self.add("model", step.model)
        self.add("template", step.template)
        self.add("passages", step.passages) { object, passage in
            object.add("document", passage.document)
            object.add("documentDigest", passage.documentDigest)
            object.add("start", Int64(passage.start))
            object.add("end", Int64(passage.end))
            object.add("text", passage.text)
            object.add("score", JSONValue.number(passage.score))
        }
        self.add("guards", step.guards) { object, record in
            object.add("place", record.place)
            object.add("rule", record.rule)
            object.add("action", record.action)
            object.add("detail", record.detail)
        }
        self.add("errorCode", step.errorCode)
        self.add("errorMessage", step.errorMessage)
        self.add("effects", step.effects)
        self.add("children", step.children) { $0.add($1) }
    }
}
