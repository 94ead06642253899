internal import Foundation

/// How long the suites called `…ChaosTests`, `…FuzzTests` and `…SoakTests` go on.
///
/// `make test` runs their short form; `make chaos`, `make fuzz` and `make soak` multiply it by `MARTLET_CAMPAIGN`.
package enum Campaign {
    /// How many rounds to make where the short form makes `short`, and `most` are enough.
    package static func rounds(_ short: Int, atMost most: Int = .max) -> Int {
        let factor = ProcessInfo.processInfo.environment["MARTLET_CAMPAIGN"].flatMap { Int($0) } ?? 1
        return min(short * max(1, factor), most)
    }
}
