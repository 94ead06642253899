import Schema
import Testing

/// Expects a `MartletError` of one code whose message contains all of some words.
func expectError<Result>(
    _ code: String,
    mentioning words: String...,
    sourceLocation: Testing.SourceLocation = #_sourceLocation,
    from body: () throws -> Result
) {
    let error = #expect(throws: MartletError.self, sourceLocation: sourceLocation) { _ = try body() }
    guard let error else { return }
    #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
    for word in words {
        #expect(error.description.contains(word), sourceLocation: sourceLocation)
    }
}
