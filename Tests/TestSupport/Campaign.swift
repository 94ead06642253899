internal import Foundation

/// How long the suites called `…ChaosTests`, `…FuzzTests` and `…SoakTests` go on.
///
/// `make test` runs their short form; `make chaos`, `make fuzz` and `make soak` multiply it by `MARTLET_CAMPAIGN`.
package enum Campaign {
    /// How many rounds to make where the short form makes `short`, and `most` are enough.
    package static func rounds(_ short: Int, atMost most: Int = .max) -> Int {
        min(short * max(1, Campaign.factor), most)
    }

    /// Whether this is the long form, in a process of its own.
    package static var isLong: Bool { Campaign.factor > 1 }

    private static var factor: Int {
        ProcessInfo.processInfo.environment["MARTLET_CAMPAIGN"].flatMap { Int($0) } ?? 1
    }
}
