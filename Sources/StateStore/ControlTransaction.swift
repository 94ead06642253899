internal import GRDB
internal import Planning
internal import Schema

/// One transaction of `control.db`: changes in order, then ``finish()``.
struct ControlTransaction {
    private let database: Database
    private let eventLimit: Int64
    private var events: [Event] = []
    /// Graphs that a changed variant named before, by digest.
    private var replacedGraphs: Set<String> = []

    init(_ database: Database, eventLimit: Int64) {
        self.database = database
        self.eventLimit = eventLimit
    }

    /// Writes one change.
    mutating func apply(_ change: FactChange) throws {
        switch change {
        case .variant(let variant, let facts): try self.write(facts, of: variant)
        case .forgetVariant(let variant): try self.forget(variant)
        case .hold(let hold): try self.write(hold)
        case .liftHold(let variant, let revision): try self.lift(variant, revision)
        case .suspend(let suspension): try self.add(suspension.stored, to: "suspensions")
        case .resume(let suspension): try self.remove(suspension.stored, from: "suspensions")
        case .probe(let instance, let report): try self.write(report, of: instance)
        case .beginLoading(let instance): try self.add(instance.digest.hex, to: "loading")
        case .endLoading(let instance):
            try self.remove(instance.digest.hex, from: "loading")
            try self.remove(instance.digest.hex, from: "cut_short")
        case .loadCutShort(let instance, let starts):
            try self.run("INSERT OR REPLACE INTO cut_short VALUES (?, ?)", [instance.digest.hex, starts])
        case .crashed(let instance): try self.add(instance.digest.hex, to: "crashed")
        case .forgiveCrash(let instance): try self.remove(instance.digest.hex, from: "crashed")
        case .applied(let applied): try self.write(applied)
        case .confirmPrune(let confirmation): try self.write(confirmation)
        case .endConfirmation(let commit): try self.remove(commit, from: "confirmations")
        case .commit(let record): try self.write(record)
        case .promotion(let record): try self.append(record)
        case .conditions(let resource, let conditions): try self.write(conditions, of: resource)
        case .event(let event): try self.append(event)
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
    /// Keeps each graph once, however many revisions of history name it and however often the facts are written.
    private mutating func write(_ facts: VariantFacts, of variant: VariantID) throws {
        try self.noteGraphs(of: variant)
        var written = facts
        written.graphs = []
        try self.run(
            "INSERT INTO variants VALUES (?, ?) ON CONFLICT (variant) DO UPDATE SET facts = excluded.facts",
            [variant.description, try StoredJSON.encode(written)]
        )
        try self.run("DELETE FROM variant_graphs WHERE variant = ?", [variant.description])
        for (place, graph) in facts.graphs.enumerated() {
            let text = try StoredJSON.encode(graph)
            let digest = Digest(of: text.utf8).hex
            try self.run("INSERT OR IGNORE INTO graphs VALUES (?, ?)", [digest, text])
            try self.run("INSERT INTO variant_graphs VALUES (?, ?, ?)", [variant.description, place, digest])
        }
    }

    private mutating func forget(_ variant: VariantID) throws {
        try self.noteGraphs(of: variant)
        try self.run("DELETE FROM variants WHERE variant = ?", [variant.description])
        try self.run("DELETE FROM holds WHERE variant = ?", [variant.description])
    }

    private mutating func noteGraphs(of variant: VariantID) throws {
        let statement = try self.database.cachedStatement(sql: "SELECT graph FROM variant_graphs WHERE variant = ?")
        self.replacedGraphs.formUnion(try String.fetchAll(statement, arguments: [variant.description]))
    }

    private func write(_ hold: Hold) throws {
        try self.lift(hold.variant, hold.revision)
        try self.run(
            "INSERT INTO holds (variant, revision, hold) VALUES (?, ?, ?)",
            [hold.variant.description, hold.revision.digest.hex, try StoredJSON.encode(hold)]
        )
    }

    private func lift(_ variant: VariantID, _ revision: Revision) throws {
        try self.run(
            "DELETE FROM holds WHERE variant = ? AND revision = ?",
            [variant.description, revision.digest.hex]
        )
    }

    private func write(_ report: ProbeReport, of instance: InstanceKey) throws {
        try self.run(
            "INSERT OR REPLACE INTO probes VALUES (?, ?)",
            [instance.digest.hex, try StoredJSON.encode(report)]
        )
    }

    private func write(_ applied: AppliedCommit) throws {
        try self.run(
            "INSERT OR REPLACE INTO applied VALUES (?, ?)",
            [applied.source, try StoredJSON.encode(applied)]
        )
    }

    private func write(_ confirmation: PruneConfirmation) throws {
        try self.run(
            "INSERT OR REPLACE INTO confirmations VALUES (?, ?)",
            [confirmation.commit, try StoredJSON.encode(confirmation)]
        )
    }

    /// A commit that is read again, as after a reset of the branch, becomes the newest; an update leaves it in its place.
    private func write(_ record: CommitRecord) throws {
        let id = record.commit.id
        let text = try StoredJSON.encode(record)
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

    private func append(_ record: PromotionRecord) throws {
        try self.run(
            "INSERT INTO promotions (variant, record) VALUES (?, ?)",
            [record.variant.description, try StoredJSON.encode(record)]
        )
    }

    private func write(_ conditions: [Condition], of resource: ResourceIdentity) throws {
        if conditions.isEmpty {
            try self.run("DELETE FROM conditions WHERE resource = ?", [resource.description])
        } else {
            try self.run(
                "INSERT OR REPLACE INTO conditions VALUES (?, ?)",
                [resource.description, try StoredJSON.encode(conditions)]
            )
        }
    }

    private mutating func append(_ event: Event) throws {
        var event = event
        let newest = try Int64.fetchOne(
            self.database.cachedStatement(sql: "SELECT seq FROM sqlite_sequence WHERE name = 'events'")
        )
        event.sequence = (newest ?? 0) + 1
        try self.run(
            "INSERT INTO events VALUES (?, ?, ?)",
            [event.sequence, event.subject?.description, try StoredJSON.encode(event)]
        )
        self.events.append(event)
    }

    /// Takes entries over that were sealed elsewhere. Throws when they do not continue the log.
    func carry(_ entries: [AuditEntry]) throws {
        var chain = try AuditChain.stored(in: self.database)
        for entry in entries {
            guard chain.accept(entry) else {
                throw MartletError("StateFailed", "entry \(entry.sequence) does not continue the audit log")
            }
            try self.insert(entry, endingWith: chain)
        }
    }

    private func append(_ entry: AuditEntry) throws {
        var chain = try AuditChain.stored(in: self.database)
        try self.insert(chain.append(entry), endingWith: chain)
    }

    private func insert(_ entry: AuditEntry, endingWith chain: AuditChain) throws {
        try self.run(
            "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                entry.sequence, entry.at.milliseconds, entry.actor.name, entry.action, entry.subject, entry.reason,
                entry.origin, entry.commit, entry.digest?.hex, entry.signer,
            ]
        )
        try self.run("UPDATE audit_head SET length = ?, digest = ?", [chain.length, chain.head?.hex])
    }
}
