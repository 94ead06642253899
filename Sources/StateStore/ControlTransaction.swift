internal import GRDB
internal import Planning
internal import Schema

/// One transaction of `control.db`: changes in order, then ``finish()``.
struct ControlTransaction {
    /// How many changes are made into rows before these are written: all at once would take memory without need.
    private static let rowsAtOnce = 2048

    private let database: Database
    private let eventLimit: Int64
    /// The graphs of variants as they are written, as far as that is known.
    private(set) var graphs: [VariantID: [RevisionGraph]]
    private var events: [Event] = []
    /// The number of the newest event, once that was asked for.
    private var newestEvent: Int64?
    /// The end of the audit log, once that was asked for.
    private var chain: AuditChain?
    /// Graphs that a changed variant named before, by digest.
    private var replacedGraphs: Set<String> = []

    init(_ database: Database, eventLimit: Int64, graphs: [VariantID: [RevisionGraph]] = [:]) {
        self.database = database
        self.eventLimit = eventLimit
        self.graphs = graphs
    }

    /// Writes one change.
    mutating func apply(_ change: FactChange) throws {
        try self.apply([change])
    }

    /// Writes changes in their order.
    mutating func apply(_ changes: [FactChange]) throws {
        for start in stride(from: 0, to: changes.count, by: Self.rowsAtOnce) {
            let changes = try changes[start..<min(start + Self.rowsAtOnce, changes.count)].map { try self.numbered($0) }
            let written = changes.map { self.noteGraphs($0) }
            for row in try StoredChange.rows(of: changes, written: written) { try self.write(row) }
        }
    }

    private mutating func write(_ row: StoredChange) throws {
        let text = row.text
        switch row.change {
        case .variant(let variant, _): try self.write(text, row.graphs, of: variant)
        case .forgetVariant(let variant): try self.forget(variant)
        case .hold(let hold): try self.write(hold, text)
        case .liftHold(let variant, let revision): try self.lift(variant, revision)
        case .suspend(let suspension): try self.add(suspension.stored, to: "suspensions")
        case .resume(let suspension): try self.remove(suspension.stored, from: "suspensions")
        case .probe(let instance, _):
            try self.run("INSERT OR REPLACE INTO probes VALUES (?, ?)", [instance.digest.hex, text])
        case .forgetProbe(let instance):
            try self.run("DELETE FROM probes WHERE instance = ?", [instance.digest.hex])
        case .beginLoading(let instance): try self.add(instance.digest.hex, to: "loading")
        case .endLoading(let instance):
            try self.remove(instance.digest.hex, from: "loading")
            try self.remove(instance.digest.hex, from: "cut_short")
        case .loadCutShort(let instance, let starts):
            try self.run("INSERT OR REPLACE INTO cut_short VALUES (?, ?)", [instance.digest.hex, starts])
        case .crashed(let instance): try self.add(instance.digest.hex, to: "crashed")
        case .forgiveCrash(let instance): try self.remove(instance.digest.hex, from: "crashed")
        case .applied(let applied):
            try self.run("INSERT OR REPLACE INTO applied VALUES (?, ?)", [applied.source, text])
        case .confirmPrune(let confirmation):
            try self.run("INSERT OR REPLACE INTO confirmations VALUES (?, ?)", [confirmation.commit, text])
        case .endConfirmation(let commit): try self.remove(commit, from: "confirmations")
        case .commit(let record): try self.write(record, text)
        case .promotion(let record):
            try self.run("INSERT INTO promotions (variant, record) VALUES (?, ?)", [record.variant.description, text])
        case .conditions(let resource, let conditions):
            if conditions.isEmpty {
                try self.run("DELETE FROM conditions WHERE resource = ?", [resource.description])
            } else {
                try self.run("INSERT OR REPLACE INTO conditions VALUES (?, ?)", [resource.description, text])
            }
        case .event(let event):
            try self.run("INSERT INTO events VALUES (?, ?, ?)", [event.sequence, event.subject?.description, text])
            self.events.append(event)
        case .audit(let entry): try self.append(entry)
        }
    }

    /// Removes what nothing needs any more, and gives the events with their numbers.
    func finish() throws -> [Event] {
        for graph in self.replacedGraphs {
            try self.run(
                "DELETE FROM graphs WHERE digest = ?1 AND NOT EXISTS (SELECT 1 FROM variant_graphs WHERE graph = ?1)",
                [graph]
            )
        }
        if let newest = self.events.last?.sequence {
            try self.run("DELETE FROM events WHERE sequence <= ?", [newest - self.eventLimit])
        }
        if let chain {
            try self.run("UPDATE audit_head SET length = ?, digest = ?", [chain.length, chain.head?.hex])
        }
        return self.events
    }

    private func run(_ sql: String, _ arguments: StatementArguments) throws {
        try self.database.cachedStatement(sql: sql).execute(arguments: arguments)
    }

    private func add(_ id: String, to table: String) throws {
        try self.run("INSERT OR IGNORE INTO \(table) VALUES (?)", [id])
    }

    private func remove(_ id: String, from table: String) throws {
        try self.run("DELETE FROM \(table) WHERE id = ?", [id])
    }
}

extension ControlTransaction {
    /// Takes note of the graphs that a change writes; gives those of its variant from before.
    private mutating func noteGraphs(_ change: FactChange) -> [RevisionGraph]? {
        switch change {
        case .variant(let variant, let facts): self.graphs.updateValue(facts.graphs, forKey: variant)
        case .forgetVariant(let variant): self.graphs.removeValue(forKey: variant)
        case .hold, .liftHold, .suspend, .resume, .probe, .beginLoading, .endLoading, .loadCutShort, .crashed,
            .forgetProbe, .forgiveCrash, .applied, .confirmPrune, .endConfirmation, .commit, .promotion, .conditions,
            .event, .audit:
            nil
        }
    }

    /// Keeps each graph once, however many revisions of history name it and however often the facts are written.
    private mutating func write(_ facts: String, _ graphs: [StoredChange.Graph]?, of variant: VariantID) throws {
        try self.run(
            "INSERT INTO variants VALUES (?, ?) ON CONFLICT (variant) DO UPDATE SET facts = excluded.facts",
            [variant.description, facts]
        )
        guard let graphs else { return }
        let before = try self.replaceGraphs(of: variant)
        try self.run("DELETE FROM variant_graphs WHERE variant = ?", [variant.description])
        for (place, graph) in graphs.enumerated() {
            let digest: String
            switch graph {
            case .written(let place):
                digest = before[place]
            case .new(let text):
                digest = Digest(of: text.utf8).hex
                try self.run("INSERT OR IGNORE INTO graphs VALUES (?, ?)", [digest, text])
            }
            try self.run("INSERT INTO variant_graphs VALUES (?, ?, ?)", [variant.description, place, digest])
        }
    }

    private mutating func forget(_ variant: VariantID) throws {
        _ = try self.replaceGraphs(of: variant)
        try self.run("DELETE FROM variants WHERE variant = ?", [variant.description])
        try self.run("DELETE FROM holds WHERE variant = ?", [variant.description])
    }

    /// The digests of a variant's graphs by place, which may be nobody's soon.
    private mutating func replaceGraphs(of variant: VariantID) throws -> [String] {
        let sql = "SELECT graph FROM variant_graphs WHERE variant = ? ORDER BY place"
        let statement = try self.database.cachedStatement(sql: sql)
        let digests = try String.fetchAll(statement, arguments: [variant.description])
        self.replacedGraphs.formUnion(digests)
        return digests
    }

    private func write(_ hold: Hold, _ text: String) throws {
        try self.lift(hold.variant, hold.revision)
        try self.run(
            "INSERT INTO holds (variant, revision, hold) VALUES (?, ?, ?)",
            [hold.variant.description, hold.revision.digest.hex, text]
        )
    }

    private func lift(_ variant: VariantID, _ revision: Revision) throws {
        try self.run(
            "DELETE FROM holds WHERE variant = ? AND revision = ?",
            [variant.description, revision.digest.hex]
        )
    }

    /// A commit that is read again, as after a reset of the branch, becomes the newest; an update leaves it in its place.
    private func write(_ record: CommitRecord, _ text: String) throws {
        let id = record.commit.id
        let readAt = record.readAt.milliseconds
        try self.run("DELETE FROM commits WHERE id = ? AND read_at <> ?", [id, readAt])
        try self.run(
            """
            INSERT INTO commits (id, read_at, record) VALUES (?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET record = excluded.record
            """,
            [id, readAt, text]
        )
    }

    /// Gives an event the number after the newest one's.
    private mutating func numbered(_ change: FactChange) throws -> FactChange {
        guard case .event(var event) = change else { return change }
        let newest = try self.newestEvent ?? self.storedNewestEvent()
        event.sequence = newest + 1
        self.newestEvent = event.sequence
        return .event(event)
    }

    private func storedNewestEvent() throws -> Int64 {
        let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'events'"
        return try Int64.fetchOne(self.database.cachedStatement(sql: sql)) ?? 0
    }

    /// Takes entries over that were sealed elsewhere. Throws when they do not continue the log.
    mutating func carry(_ entries: [AuditEntry]) throws {
        var chain = try self.chain ?? AuditChain.stored(in: self.database)
        for entry in entries {
            guard chain.accept(entry) else {
                throw MartletError("StateFailed", "entry \(entry.sequence) does not continue the audit log")
            }
            try self.insert(entry)
        }
        self.chain = chain
    }

    private mutating func append(_ entry: AuditEntry) throws {
        var chain = try self.chain ?? AuditChain.stored(in: self.database)
        try self.insert(chain.append(entry))
        self.chain = chain
    }

    private func insert(_ entry: AuditEntry) throws {
        try self.run(
            "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                entry.sequence, entry.at.milliseconds, entry.actor.name, entry.action, entry.subject, entry.reason,
                entry.origin, entry.commit, entry.digest?.hex, entry.signer,
            ]
        )
    }
}
