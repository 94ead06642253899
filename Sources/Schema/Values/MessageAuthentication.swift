internal import Crypto

/// Shows that a message comes from somebody who knows a secret.
package enum MessageAuthentication {
    /// The HMAC-SHA-256 of bytes under a secret (RFC 2104), as 64 lower-case hexadecimal digits.
    package static func code(of bytes: [UInt8], secret: [UInt8]) -> String {
        Digest.hexadecimal(HMAC<SHA256>.authenticationCode(for: bytes, using: SymmetricKey(data: secret)))
    }

    /// Whether two byte strings are the same, in a time that does not tell how much of them is.
    ///
    /// Both are hashed under one key first, so that neither content nor length steers the comparison.
    package static func areEqual(_ lhs: [UInt8], _ rhs: [UInt8]) -> Bool {
        let key = SymmetricKey(data: rhs)
        let code = HMAC<SHA256>.authenticationCode(for: lhs, using: key)
        return HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: rhs, using: key)
    }
}
