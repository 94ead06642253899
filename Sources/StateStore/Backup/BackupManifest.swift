internal import Foundation
package import Planning
package import Schema

/// What a backup says about itself.
package struct BackupManifest: Sendable, Hashable, Codable {
    /// One file that it holds.
    package struct File: Sendable, Hashable, Codable {
        /// `control.db`, or the name of an artifact in its folder.
        package var path: String
        /// In bytes.
        package var size: Int64
        package var sha256: Digest
    }

    /// The newest form that this version writes and reads.
    package static let newestFormat = 1

    package var format = BackupManifest.newestFormat
    /// The Martlet that wrote it.
    package var version: String
    package var createdAt: Timestamp
    /// The migrations of the database in it, in order.
    package var schema: [String]
    package var files: [File] = []

    /// In bytes, of all files together.
    package var size: Int64 { self.files.reduce(0) { $0 + $1.size } }
}
