/// Random damage to bytes that something has to read.
package struct ByteDamage: Sendable {
    private let tokens: [[UInt8]]

    /// - Parameter tokens: what means something to the reader.
    package init(tokens: [String]) {
        self.tokens = tokens.map { Array($0.utf8) }
    }

    /// The bytes with up to four places changed; once in a while none, and once in a while something else altogether.
    package func damaged(_ bytes: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
        guard !random.oneIn(16) else { return self.noise(&random) }
        var bytes = bytes
        for _ in 0..<Int.random(in: 0...4, using: &random) { self.damage(&bytes, &random) }
        return bytes
    }

    /// Bytes and tokens, in no order at all.
    package func noise(_ random: inout SeededRandom) -> [UInt8] {
        (0..<Int.random(in: 0...40, using: &random)).flatMap { _ in
            random.oneIn(2) ? random.pick(self.tokens) : [UInt8.random(in: 0...255, using: &random)]
        }
    }

    private func damage(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
        let place = Int.random(in: 0...bytes.count, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes.insert(contentsOf: random.pick(self.tokens), at: place)
        case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
        case 2 where place < bytes.count: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 3: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...20, using: &random)))
        default:
            let piece = Array(bytes[place..<min(bytes.count, place + Int.random(in: 1...40, using: &random))])
            bytes.insert(contentsOf: piece, at: Int.random(in: 0...bytes.count, using: &random))
        }
    }
}
