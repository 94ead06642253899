internal import CLibGit2
package import Planning
internal import Schema

extension GitRepository {
    package func size(of object: ObjectID) throws -> Int64 {
        let id = try LibGit2.objectID(object)
        return try self.handles.read { try $0.blobSize(id) }
    }

    package func read(_ object: ObjectID, limit: Int64) throws -> [UInt8] {
        let id = try LibGit2.objectID(object)
        return try self.handles.read { handle in
            try handle.withBlob(id, limit: limit) { Array($0) }
        }
    }

    package func export(_ object: ObjectID, to file: String, limit: Int64) throws {
        let id = try LibGit2.objectID(object)
        try self.handles.read { handle in
            try handle.withBlob(id, limit: limit) { try BlobFile(path: file).write($0) }
        }
    }
}

extension RepositoryHandle {
    /// Hands the content of a blob to `body`, without a copy, after its size was checked against the limit.
    func withBlob<Result>(
        _ id: git_oid,
        limit: Int64,
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result {
        try Self.check(size: try self.blobSize(id), of: id, limit: limit)
        var id = id
        var object: OpaquePointer?
        try GitSource.check(git_odb_read(&object, self.objects, &id), .read(object: id))
        defer { git_odb_object_free(object) }
        return try body(UnsafeRawBufferPointer(start: git_odb_object_data(object), count: git_odb_object_size(object)))
    }

    private static func check(size: Int64, of id: git_oid, limit: Int64) throws(MartletError) {
        guard size <= GitRepository.blobLimit else {
            throw MartletError(
                "BlobTooLarge",
                "object \(id.hexadecimal) has \(size) bytes, and at most \(GitRepository.blobLimit) (2 GiB) can be "
                    + "read from git: keep so large a file elsewhere and name it by URI and sha256"
            )
        }
        guard size <= limit else {
            throw MartletError(
                "BlobTooLarge",
                "object \(id.hexadecimal) has \(size) bytes, more than the \(limit) allowed"
            )
        }
    }
}
