import Schema
import Testing

@Suite("Message authentication")
struct MessageAuthenticationTests {
    @Test(
        "Codes are those of the published examples",
        arguments: [
            // RFC 4231, test case 2, and the example of GitHub's documentation.
            (
                "Jefe", "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                "It's a Secret to Everybody", "Hello, World!",
                "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
            ),
        ]
    )
    func codes(secret: String, message: String, code: String) {
        #expect(MessageAuthentication.code(of: Array(message.utf8), secret: Array(secret.utf8)) == code)
    }

    @Test("A secret longer than a block is hashed first")
    func longSecret() {
        // RFC 4231, test case 6.
        let code = MessageAuthentication.code(
            of: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            secret: [UInt8](repeating: 0xAA, count: 131)
        )
        #expect(code == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    }

    @Test(
        "Only the same bytes are equal",
        arguments: [("", "", true), ("a", "a", true), ("a", "b", false), ("a", "", false), ("ab", "a", false)]
    )
    func equality(lhs: String, rhs: String, isEqual: Bool) {
        #expect(MessageAuthentication.areEqual(Array(lhs.utf8), Array(rhs.utf8)) == isEqual)
        #expect(MessageAuthentication.areEqual(Array(rhs.utf8), Array(lhs.utf8)) == isEqual)
    }

    @Test("A text and the text with a zero byte behind it differ")
    func padding() {
        // As keys of HMAC they would be the same.
        #expect(!MessageAuthentication.areEqual([1, 2], [1, 2, 0]))
        #expect(!MessageAuthentication.areEqual([1, 2, 0], [1, 2]))
    }
}
