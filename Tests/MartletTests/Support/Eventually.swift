internal import Schema

/// Looks at another process every few milliseconds until something is so; throws when it is not so in time.
///
/// - Parameters:
///   - what: completes "waited in vain for …".
///   - limit: far beyond what a loaded machine needs, since it only bounds how long a broken build hangs.
func eventually(
    _ what: String,
    within limit: Duration = .seconds(90),
    _ condition: () async throws -> Bool
) async throws {
    let clock = ContinuousClock()
    let deadline = clock.now.advanced(by: limit)
    while try await !condition() {
        guard clock.now < deadline else {
            throw MartletError("WaitedInVain", "waited \(limit) in vain for \(what)")
        }
        try await clock.sleep(for: .milliseconds(4))
    }
}

/// The same for something that is nil until it is there.
func eventually<Value>(
    _ what: String,
    within limit: Duration = .seconds(90),
    value: () async throws -> Value?
) async throws -> Value {
    var found: Value?
    try await eventually(what, within: limit) {
        found = try await value()
        return found != nil
    }
    guard let found else { throw MartletError("WaitedInVain", "waited in vain for \(what)") }
    return found
}
