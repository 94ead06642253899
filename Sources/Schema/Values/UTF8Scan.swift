/// Checks of bytes that claim to be UTF-8.
package enum UTF8Scan {
    /// The offset of the first byte that is not part of well-formed UTF-8, or nil when all of it is.
    package static func firstInvalidByte(in bytes: Span<UInt8>) -> Int? {
        do throws(UTF8.ValidationError) {
            _ = try UTF8Span(validating: bytes)
            return nil
        } catch {
            return error.byteOffsets.lowerBound
        }
    }
}
