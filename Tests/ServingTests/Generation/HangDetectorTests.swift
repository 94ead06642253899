import Testing

@testable import Serving

struct HangDetectorTests {
    /// Pulses as seen at seconds 0, 20, 40, …; and whether the last look says that the thread hangs.
    private static let cases: [(pulses: [UInt64], isHung: Bool)] = [
        ([0, 0, 0, 0, 0], false),
        ([1, 1, 1], false),
        ([1, 1, 1, 1], true),
        ([2, 2, 2, 2, 2], false),
        ([1, 3, 5, 7, 9], false),
        ([1, 1, 1, 3, 3], false),
        ([1, 1, 1, 3, 3, 3, 3], true),
    ]

    @Test("Only a step that lasts is a hang", arguments: cases)
    func detects(pulses: [UInt64], isHung: Bool) {
        var detector = HangDetector()
        var last = false
        for (index, pulse) in pulses.enumerated() {
            last = detector.isHung(pulse: pulse, now: .seconds(20 * index), deadline: .seconds(60))
        }
        #expect(last == isHung)
    }
}
