internal import NIOCore
internal import Schema

/// Splits the bytes of a stream of server-sent events into the data of its events, however they were cut on the way.
struct EventStreamParser: Sendable {
    /// An event longer than it may be.
    struct TooLong: Error, Sendable, Hashable {}

    /// The most bytes of one event, and of one line.
    let longestEvent: Int
    /// The line that has not ended yet.
    private var line: [UInt8] = []
    /// The data of the event that has not ended yet; nil before its first line of data.
    private var data: [UInt8]?
    /// Whether the last line ended with a carriage return, to which a line feed may still belong.
    private var endedWithReturn = false

    init(longestEvent: Int = 4 << 20) {
        self.longestEvent = longestEvent
    }

    /// Takes the next bytes, and gives the data of each event that they complete. Throws ``TooLong``, and what `receive`
    /// throws.
    mutating func append(_ bytes: ByteBuffer, _ receive: ([UInt8]) throws -> Void) throws {
        try bytes.withUnsafeReadableBytes { try self.append($0, receive) }
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer, _ receive: ([UInt8]) throws -> Void) throws {
        var rest = bytes[...]
        if self.endedWithReturn, let first = rest.first {
            self.endedWithReturn = false
            if first == UInt8(ascii: "\n") { rest = rest.dropFirst() }
        }
        while let end = rest.firstIndex(where: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
            try self.endLine(with: rest[rest.startIndex..<end], receive)
            let isReturn = rest[end] == UInt8(ascii: "\r")
            rest = rest[(end + 1)...]
            guard isReturn else { continue }
            if rest.isEmpty { self.endedWithReturn = true }
            if rest.first == UInt8(ascii: "\n") { rest = rest.dropFirst() }
        }
        guard self.line.count + rest.count <= self.longestEvent else { throw TooLong() }
        self.line.append(contentsOf: rest)
    }

    /// Takes the end of the stream: servers forget the empty line behind their last event.
    mutating func finish(_ receive: ([UInt8]) throws -> Void) throws {
        if !self.line.isEmpty { try self.endLine(with: UnsafeRawBufferPointer(start: nil, count: 0)[...], receive) }
        try self.dispatch(receive)
    }

    private mutating func endLine(
        with bytes: Slice<UnsafeRawBufferPointer>,
        _ receive: ([UInt8]) throws -> Void
    ) throws {
        guard !self.line.isEmpty else { return try self.take(bytes, receive) }
        guard self.line.count + bytes.count <= self.longestEvent else { throw TooLong() }
        var line = self.line
        self.line.removeAll(keepingCapacity: true)
        line.append(contentsOf: bytes)
        try line.withUnsafeBytes { try self.take($0[...], receive) }
    }

    /// Takes a whole line. Fields other than the data say nothing here, nor do comments.
    private mutating func take(
        _ line: Slice<UnsafeRawBufferPointer>,
        _ receive: ([UInt8]) throws -> Void
    ) throws {
        guard !line.isEmpty else { return try self.dispatch(receive) }
        guard line.starts(with: Self.field) else { return }
        var value = line.dropFirst(Self.field.count)
        switch value.first {
        case UInt8(ascii: ":"): value = value.dropFirst()
        case nil: break
        case .some: return
        }
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        guard (self.data?.count ?? 0) + value.count < self.longestEvent else { throw TooLong() }
        if self.data?.append(UInt8(ascii: "\n")) == nil { self.data = [] }
        self.data?.append(contentsOf: value)
    }

    private mutating func dispatch(_ receive: ([UInt8]) throws -> Void) throws {
        guard let data = self.data.take() else { return }
        try receive(data)
    }

    private static let field = Array("data".utf8)
}
