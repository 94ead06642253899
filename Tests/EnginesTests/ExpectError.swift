internal import Schema
internal import Testing

/// Runs a body that must throw a `MartletError` with a code, and returns its whole text.
@discardableResult
func expectError(
    _ code: String,
    at location: Testing.SourceLocation = #_sourceLocation,
    _ body: () throws -> Void
) -> String {
    do {
        try body()
        Issue.record("no \(code) was thrown", sourceLocation: location)
    } catch let error as MartletError {
        #expect(error.code == code, "\(error)", sourceLocation: location)
        return "\(error)"
    } catch {
        Issue.record("\(error) was thrown, not \(code)", sourceLocation: location)
    }
    return ""
}
