internal import Foundation

/// Some of the inputs of a fuzz test. Each has a number, and is made of random numbers that this one seeds, so that its
/// number alone gives it again: `MARTLET_INPUTS=1234 swift test --filter FuzzTests`, or `=1000-2000` for several.
package struct FuzzInputs: Sendable, CustomStringConvertible {
    private let numbers: Range<UInt64>

    /// The inputs of one test in two parts, which run at the same time: a hundredth within `make test`, and in the long
    /// form so many as `MARTLET_CAMPAIGN` says, where 50 is all.
    ///
    /// - Parameter count: of all inputs.
    package static func parts(of count: Int) -> [FuzzInputs] {
        if let chosen = self.chosen { return [FuzzInputs(numbers: chosen)] }
        let half = UInt64(Campaign.isLong ? Campaign.rounds(count / 50, atMost: count) : count / 100) / 2
        return [FuzzInputs(numbers: 0..<half), FuzzInputs(numbers: half..<half * 2)]
    }

    /// Tries each input, up to the first that fails. Throws ``FuzzFailure``; where there is time for it, also for one that
    /// takes longer than 20 seconds, and when the process has come to need much more memory.
    ///
    /// - Parameter body: makes an input of the random numbers, and tries it.
    package func forEach(_ file: StaticString = #fileID, _ body: (inout SeededRandom) throws -> Void) throws {
        let before = Self.residentBytes()
        for number in self.numbers {
            // Where a process ends by itself, this tells which input did it.
            if Self.chosen != nil || (Campaign.isLong && number.isMultiple(of: 50_000)) {
                try? FileHandle.standardError.write(contentsOf: Data("\(file): input \(number)\n".utf8))
            }
            var random = SeededRandom(seed: number)
            let begun = ContinuousClock.now
            do {
                try body(&random)
            } catch {
                throw FuzzFailure(input: number, problem: "\(error)")
            }
            let taken = ContinuousClock.now - begun
            guard !Campaign.isLong || taken < .seconds(20) else {
                throw FuzzFailure(input: number, problem: "took \(taken)")
            }
        }
        // Within `make test` other suites use the same process's memory at the same time.
        let grown = (Self.residentBytes() - before) >> 20
        guard !Campaign.isLong || grown < 256 else {
            throw FuzzFailure(input: self.numbers.upperBound, problem: "\(grown) MiB were taken up to here")
        }
    }

    package var description: String { "inputs \(self.numbers)" }

    /// Those that whoever runs the test wants to see again.
    private static let chosen: Range<UInt64>? = {
        let words = ProcessInfo.processInfo.environment["MARTLET_INPUTS"]?.split(separator: "-").map { UInt64($0) }
        guard let words, let first = words.first ?? nil, let last = words.last ?? nil else { return nil }
        return first..<max(first, last) + 1
    }()

    /// The most memory that this process has had resident.
    private static func residentBytes() -> Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss * 1024
    }
}

/// The input with which a fuzz test failed.
package struct FuzzFailure: Error, CustomStringConvertible {
    package let input: UInt64
    package let problem: String

    package var description: String { "input \(self.input): \(self.problem)" }
}
