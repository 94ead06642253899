internal import NIOCore
internal import Schema

/// The wire form of server-sent events.
enum ServerSentEvent {
    /// One event; JSON holds no line breaks, so its data is one line.
    static func encode(_ name: String?, id: String? = nil, data: JSONValue) -> ByteBuffer {
        self.encode(name, id: id, json: data.canonicalJSON)
    }

    /// One event whose data is JSON text without line breaks.
    static func encode(_ name: String?, id: String? = nil, json: String) -> ByteBuffer {
        var buffer = ByteBuffer()
        if let id { buffer.writeString("id: \(id)\n") }
        if let name { buffer.writeString("event: \(name)\n") }
        buffer.writeString("data: \(json)\n\n")
        return buffer
    }
}
