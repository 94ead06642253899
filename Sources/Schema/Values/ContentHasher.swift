internal import Crypto

/// Hashes content that comes in pieces, so that a file of any size takes no more memory than one piece.
package struct ContentHasher: Sendable {
    private enum Function: Sendable {
        case sha256(SHA256)
        case sha1(Insecure.SHA1)
    }

    private var function: Function

    private init(_ function: Function) {
        self.function = function
    }

    /// Makes the SHA-256 that manifests give for files.
    package static func sha256() -> ContentHasher {
        ContentHasher(.sha256(SHA256()))
    }

    /// Makes the id that git gives to a blob of `size` bytes.
    package static func gitBlob(size: Int64) -> ContentHasher {
        var hasher = ContentHasher(.sha1(Insecure.SHA1()))
        Array("blob \(size)\0".utf8).withUnsafeBytes { hasher.update($0) }
        return hasher
    }

    /// Takes the next piece.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        switch self.function {
        case .sha256(var function):
            function.update(bufferPointer: bytes)
            self.function = .sha256(function)
        case .sha1(var function):
            function.update(bufferPointer: bytes)
            self.function = .sha1(function)
        }
    }

    /// The hash of everything so far, in lower-case hexadecimal.
    package func finish() -> String {
        switch self.function {
        case .sha256(let function): Digest.hexadecimal(function.finalize())
        case .sha1(let function): Digest.hexadecimal(function.finalize())
        }
    }
}
