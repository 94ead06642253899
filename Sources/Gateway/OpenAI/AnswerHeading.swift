internal import NIOCore

/// What every piece of one answer repeats: the same id and time in each chunk.
struct AnswerHeading: Sendable {
    /// `chatcmpl-…` or `cmpl-…`.
    var id: String
    /// Seconds since 1970.
    var created: Int64
    /// `model` as the caller wrote it.
    var model: String
    /// Names what answered: `fp_` and the revision's first digits.
    var fingerprint: String

    /// Begins a JSON object with these members; the caller goes on after a comma.
    func open(_ buffer: inout ByteBuffer, object: StaticString) {
        buffer.writeStaticString("{\"id\":")
        buffer.writeJSONString(self.id)
        buffer.writeStaticString(",\"object\":\"")
        buffer.writeStaticString(object)
        buffer.writeStaticString("\",\"created\":")
        buffer.writeString(String(self.created))
        buffer.writeStaticString(",\"model\":")
        buffer.writeJSONString(self.model)
        buffer.writeStaticString(",\"system_fingerprint\":")
        buffer.writeJSONString(self.fingerprint)
    }
}
