import Logging
import TestSupport
import Testing

@testable import Gateway

/// What is left out of what a listener's library logs.
@Suite("Log of a listener")
struct ListenerLogTests {
    @Test(
        "Only the library's own errors about being stopped are left out",
        arguments: [
            ("HummingbirdCore", .error, true, false), ("HummingbirdCore", .error, false, true),
            ("HummingbirdCore", .warning, true, true), ("Gateway", .error, true, true),
        ] as [(String, Logger.Level, Bool, Bool)]
    )
    func leavesOut(source: String, level: Logger.Level, isStopping: Bool, isLogged: Bool) {
        let recorder = LogRecorder(from: .trace)
        let logger = Logger(label: "test") { _ in ListenerLog(recorder) { isStopping } }
        logger.log(level: level, "words", source: source)
        #expect(recorder.events.count == (isLogged ? 1 : 0))
    }
}
