/// Cuts the bytes of a server-sent event stream into the `data` of its events.
struct EventStream {
    private var rest: [UInt8] = []

    /// Takes the next piece of the stream; returns the data lines that it completes.
    mutating func append(_ piece: some Sequence<UInt8>) -> [[UInt8]] {
        self.rest += piece
        guard let end = self.rest.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
        let lines = self.rest[..<end].split(separator: UInt8(ascii: "\n"))
        self.rest = Array(self.rest[(end + 1)...])
        return lines.compactMap { line in
            line.starts(with: "data: ".utf8) ? Array(line.dropFirst(6)) : nil
        }
    }
}
