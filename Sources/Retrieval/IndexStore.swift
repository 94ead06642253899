internal import Foundation
package import Planning
internal import Schema
internal import Synchronization

/// What chains look things up in, as folders of one folder, each named by what it was made of: indexes of knowledge
/// bases and rows of feature tables.
///
/// All of it can be made again from the commit, so that the folder may be emptied at any time, and whatever is not as
/// it was written is thrown away and made anew.
package final class IndexStore: LookupStore {
    private enum Kind: String, CaseIterable {
        case knowledge
        case table
    }

    private struct Open {
        weak var index: OpenIndex?
    }

    private let folder: String
    private let read: @Sendable (Artifact) throws -> [UInt8]
    private let artifacts: any ArtifactStore
    private let wallClock: any WallClock
    private let connections: Int
    private let flights = SingleFlight()
    private let open = Mutex<[String: Open]>([:])

    /// - Parameters:
    ///   - folder: an absolute path; it is made when it is needed. Nobody else writes to it.
    ///   - read: gives the bytes of a document or of a dataset; it may block.
    ///   - artifacts: gives files of SQLite, which are read where they lie.
    ///   - connections: how many searches for words go on at once in one index.
    package init(
        folder: String,
        read: @escaping @Sendable (Artifact) throws -> [UInt8],
        artifacts: any ArtifactStore,
        wallClock: any WallClock,
        connections: Int = 4
    ) {
        self.folder = folder
        self.read = read
        self.artifacts = artifacts
        self.wallClock = wallClock
        self.connections = connections
        for name in self.names() where name.hasSuffix(IndexFolder.unfinished) { self.place(name).remove() }
    }

    package func knowledge(
        _ base: RevisionGraph.KnowledgeBase,
        embed: @escaping @Sendable (_ texts: [String]) async throws -> [[Float]]
    ) async throws -> any KnowledgeIndex {
        let name = Self.name(.knowledge, base.content)
        return try await self.flights.run(name) {
            if let index = self.open.withLock({ $0[name]?.index }) { return index }
            let place = self.place(name)
            let note = try await self.note(of: place) {
                let builder = IndexBuilder(base: base, read: self.read, embed: embed, earlier: self.others(name))
                try await place.make { try await builder.fill($0) }
            }
            let index = try OpenIndex(place, note, base.spec.index, connections: self.connections)
            self.open.withLock { open in
                open = open.filter { $0.value.index != nil }
                open[name] = Open(index: index)
            }
            return index
        }
    }

    package func rows(_ table: RevisionGraph.FeatureTable) async throws -> any FeatureRows {
        let name = Self.name(.table, table.content)
        return try await self.flights.run(name) {
            let place = self.place(name)
            let note = try await self.note(of: place) {
                let builder = TableBuilder(table: table, read: self.read, artifacts: self.artifacts)
                try await place.make { try await builder.fill($0) }
            }
            return try OpenTable(place, note, table, wallClock: self.wallClock)
        }
    }

    package func prune(keeping graphs: [RevisionGraph]) async {
        var kept: Set<String> = []
        for graph in graphs where graph.hasLookups {
            kept.formUnion(graph.knowledge.map { Self.name(.knowledge, $0.content) })
            kept.formUnion(graph.tables.map { Self.name(.table, $0.content) })
        }
        for name in self.names() where self.isOurs(name) && !kept.contains(name) {
            // Cancelled while it waits, a prune has simply done less; the next one does the rest.
            try? await self.flights.run(name) {
                await BlockingWork.run { _ in self.place(name).remove() }
            }
        }
    }

    /// What a folder says of itself once it is there and sound: it is made where it is not.
    private func note(of place: IndexFolder, make: () async throws -> Void) async throws -> IndexNote {
        if let note = await BlockingWork.run({ stop in (try? place.verify(stop)) ?? nil }) { return note }
        try Task.checkCancellation()
        try await make()
        guard let note = place.note else {
            throw MartletError.unreadableIndex(place.file(IndexFolder.noteName), "it is gone again")
        }
        return note
    }

    /// Other indexes, the newest first.
    private func others(_ name: String) -> [IndexFolder] {
        let others = self.names().filter {
            $0.hasPrefix("\(Kind.knowledge.rawValue)-") && $0 != name && self.isOurs($0)
        }
        let dated = others.map { name in
            let attributes = try? FileManager.default.attributesOfItem(atPath: self.place(name).path)
            return (name, attributes?[.modificationDate] as? Date ?? .distantPast)
        }
        return dated.sorted { $0.1 > $1.1 }.map { self.place($0.0) }
    }

    private func isOurs(_ name: String) -> Bool {
        Kind.allCases.contains { name.hasPrefix("\($0.rawValue)-") } && !name.hasSuffix(IndexFolder.unfinished)
    }

    private static func name(_ kind: Kind, _ content: Digest) -> String { "\(kind.rawValue)-\(content.hex)" }

    private func place(_ name: String) -> IndexFolder { IndexFolder(path: "\(self.folder)/\(name)") }

    private func names() -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: self.folder)) ?? []
    }
}
