internal import GRDB

/// The tables of `records.db`, by migration; a migration that was shipped never changes.
///
/// A record is written to `records` alone, at the end of one table, which is all that a request may cost. What it is found
/// by, `catalogue` and `words`, follows when there is time for it.
enum RecordSchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 records") { try $0.execute(sql: self.records) }
        return migrator
    }

    // `words` keeps no text: it is given the same text again when a record goes.
    private static let records = """
        CREATE TABLE records (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            expires_at INTEGER NOT NULL,
            redacted TEXT NOT NULL,
            record BLOB NOT NULL
        ) STRICT;

        CREATE TABLE catalogue (
            sequence INTEGER PRIMARY KEY REFERENCES records ON DELETE CASCADE,
            id TEXT NOT NULL,
            started_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            namespace TEXT NOT NULL,
            endpoint TEXT NOT NULL,
            tenant TEXT,
            revision TEXT NOT NULL,
            status TEXT NOT NULL,
            replay_of TEXT
        ) STRICT;
        CREATE INDEX catalogue_by_id ON catalogue (id);
        CREATE INDEX catalogue_by_time ON catalogue (started_at);
        CREATE INDEX catalogue_by_expiry ON catalogue (expires_at);
        CREATE INDEX catalogue_by_endpoint ON catalogue (namespace, endpoint, sequence);
        CREATE INDEX catalogue_by_tenant ON catalogue (tenant, sequence) WHERE tenant IS NOT NULL;
        CREATE INDEX catalogue_by_revision ON catalogue (revision, sequence);
        CREATE INDEX catalogue_by_status ON catalogue (status, sequence) WHERE status <> 'ok';
        CREATE INDEX catalogue_by_replay ON catalogue (replay_of) WHERE replay_of IS NOT NULL;

        CREATE TABLE catalogued (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            sequence INTEGER NOT NULL
        ) STRICT;
        INSERT INTO catalogued VALUES (1, 0);

        CREATE VIRTUAL TABLE words USING fts5 (text, content = '', columnsize = 0);

        CREATE TABLE feedback (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            record INTEGER NOT NULL REFERENCES records ON DELETE CASCADE,
            request_id TEXT NOT NULL,
            at INTEGER NOT NULL,
            variant TEXT NOT NULL,
            revision TEXT NOT NULL,
            feedback TEXT NOT NULL
        ) STRICT;
        CREATE INDEX feedback_by_record ON feedback (record);
        CREATE INDEX feedback_by_request ON feedback (request_id);
        CREATE INDEX feedback_by_time ON feedback (at);
        """
}
