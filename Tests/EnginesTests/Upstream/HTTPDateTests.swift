internal import Testing

@testable internal import Engines

struct HTTPDateTests {
    @Test(
        "Times are read in all three forms",
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
            ("Sun Nov  6 08:49:37 1994", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Thu, 29 Feb 2024 23:59:60 GMT", 1_709_251_200), ("Wednesday, 01-Mar-00 00:00:00 GMT", 951_868_800),
            ("Mon, 31 Dec 2400 00:00:00 GMT", 13_601_001_600),
        ]
    )
    func reads(text: String, seconds: Int) {
        #expect(HTTPDate(text)?.seconds == seconds)
    }

    @Test(
        "What is no time is none",
        arguments: [
            "", "7", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Nov 1994 8:49 GMT",
            "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Nix 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT",
            "Sun, 06 Nov 99999 08:49:37 GMT", "Sun, 06 Nov old 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:xx GMT",
        ]
    )
    func refuses(text: String) {
        #expect(HTTPDate(text) == nil)
    }
}
