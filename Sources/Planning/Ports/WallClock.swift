/// Tells the wall clock's time; a parameter everywhere, so that tests own it.
package protocol WallClock: Sendable {
    func now() -> Timestamp
}
