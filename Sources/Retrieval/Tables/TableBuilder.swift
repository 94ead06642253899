internal import GRDB
internal import Planning
internal import Schema

/// Makes the rows of a feature table ready to be looked up.
struct TableBuilder {
    let table: RevisionGraph.FeatureTable
    let read: @Sendable (Artifact) throws -> [UInt8]
    let artifacts: any ArtifactStore

    /// Fills a folder. Throws `TableInvalid`, `IndexNotWritten`, and what reading the rows throws.
    func fill(_ draft: IndexFolder) async throws -> IndexNote {
        do {
            guard let source = self.table.spec.sqlite else {
                return try await BlockingWork.run { [self] stop in try self.fillFromDataset(draft, stop) }
            }
            let file = try await self.artifacts.materialise(self.table.artifact)
            let rows = try SQLiteRows(file, source, of: self.table)
            return try await withTaskCancellationHandler {
                try await BlockingWork.run { [self] stop in
                    try self.fill(draft, stop) { receive in try rows.read(receive) }
                }
            } onCancel: {
                rows.interrupt()
            }
        } catch let error as RowInvalid {
            let path = error.location.path
            let place = self.table.format == nil ? "\(path), row \(error.location.line)" : "\(error.location)"
            throw MartletError("TableInvalid", "\(place): \(error.message)")
        }
    }

    private func fillFromDataset(_ draft: IndexFolder, _ stop: StopFlag) throws -> IndexNote {
        let bytes = try self.read(self.table.artifact)
        return try self.fill(draft, stop) { receive in
            try FeatureRowReader.read(bytes, of: self.table, receive: receive)
        }
    }

    private func fill(
        _ draft: IndexFolder,
        _ stop: StopFlag,
        _ rows: (_ receive: (FeatureRowReader.Row) throws -> Void) throws -> Void
    ) throws -> IndexNote {
        var writer = try RowFile.Writer(draft.file(RowFile.fileName))
        var columns = Set(self.table.columns.keys).union(self.table.spec.key)
        try rows { row in
            if writer.count % 1024 == 0 { try stop.check() }
            columns.formUnion(row.values.keys)
            try writer.add(row)
        }
        try writer.finish()
        var note = IndexNote(content: self.table.content, count: writer.count)
        note.columns = columns.sorted()
        return note
    }
}
