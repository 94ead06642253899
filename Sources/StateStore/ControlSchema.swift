internal import GRDB

/// The tables of `control.db`, by migration; a migration that was shipped never changes.
///
/// Key columns are what rows are found by. The rest of a row is JSON in the form that the admin API shows, except in
/// the audit log, whose columns are the very fields that its digests are made over.
enum ControlSchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 facts") { try $0.execute(sql: self.facts) }
        migrator.registerMigration("2 records") { try $0.execute(sql: self.records) }
        migrator.registerMigration("3 audit") { try $0.execute(sql: self.audit) }
        migrator.registerMigration("4 guards") { try $0.execute(sql: self.guards) }
        migrator.registerMigration("5 signers") { try $0.execute(sql: "ALTER TABLE audit ADD COLUMN signer TEXT") }
        migrator.registerMigration("6 cut-short loads") { try $0.execute(sql: self.cutShortLoads) }
        return migrator
    }

    private static let facts = """
        CREATE TABLE graphs (
            digest TEXT NOT NULL PRIMARY KEY,
            graph TEXT NOT NULL
        ) STRICT;

        CREATE TABLE variants (
            variant TEXT NOT NULL PRIMARY KEY,
            facts TEXT NOT NULL
        ) STRICT;

        CREATE TABLE variant_graphs (
            variant TEXT NOT NULL REFERENCES variants ON DELETE CASCADE,
            place INTEGER NOT NULL,
            graph TEXT NOT NULL REFERENCES graphs,
            PRIMARY KEY (variant, place)
        ) STRICT;
        CREATE INDEX variant_graphs_by_graph ON variant_graphs (graph);

        CREATE TABLE holds (
            number INTEGER PRIMARY KEY,
            variant TEXT NOT NULL,
            revision TEXT NOT NULL,
            hold TEXT NOT NULL,
            UNIQUE (variant, revision)
        ) STRICT;

        CREATE TABLE suspensions (
            id TEXT NOT NULL PRIMARY KEY
        ) STRICT;

        CREATE TABLE probes (
            instance TEXT NOT NULL PRIMARY KEY,
            report TEXT NOT NULL
        ) STRICT;

        CREATE TABLE loading (
            id TEXT NOT NULL PRIMARY KEY
        ) STRICT;

        CREATE TABLE crashed (
            id TEXT NOT NULL PRIMARY KEY
        ) STRICT;
        """

    private static let records = """
        CREATE TABLE conditions (
            resource TEXT NOT NULL PRIMARY KEY,
            conditions TEXT NOT NULL
        ) STRICT;

        CREATE TABLE commits (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            read_at INTEGER NOT NULL,
            record TEXT NOT NULL
        ) STRICT;

        CREATE TABLE promotions (
            number INTEGER PRIMARY KEY,
            variant TEXT NOT NULL,
            record TEXT NOT NULL
        ) STRICT;
        CREATE INDEX promotions_by_variant ON promotions (variant, number);

        CREATE TABLE events (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            subject TEXT,
            event TEXT NOT NULL
        ) STRICT;
        CREATE INDEX events_by_subject ON events (subject, sequence);
        """

    // REPLACE deletes rows without asking the trigger for deletions, so the one for insertions checks the number.
    private static let audit = """
        CREATE TABLE audit (
            sequence INTEGER PRIMARY KEY,
            at INTEGER NOT NULL,
            actor TEXT NOT NULL,
            action TEXT NOT NULL,
            subject TEXT NOT NULL,
            reason TEXT NOT NULL,
            origin TEXT NOT NULL,
            "commit" TEXT,
            digest TEXT NOT NULL
        ) STRICT;

        CREATE TABLE audit_head (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            length INTEGER NOT NULL,
            digest TEXT
        ) STRICT;
        INSERT INTO audit_head (id, length, digest) VALUES (1, 0, NULL);

        CREATE TRIGGER audit_refuses_update BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

        CREATE TRIGGER audit_refuses_delete BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

        CREATE TRIGGER audit_refuses_replacement BEFORE INSERT ON audit
        WHEN NEW.sequence <> (SELECT coalesce(max(sequence), 0) + 1 FROM audit)
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
        """

    // Before there were guards every commit was applied as it was read, so the newest one is the one in force.
    private static let cutShortLoads = """
        CREATE TABLE cut_short (
            id TEXT NOT NULL PRIMARY KEY,
            starts INTEGER NOT NULL
        ) STRICT;
        """

    private static let guards = """
        CREATE TABLE applied (
            source TEXT NOT NULL PRIMARY KEY,
            applied TEXT NOT NULL
        ) STRICT;
        INSERT INTO applied
        SELECT 'default', json_object(
            'source', 'default', 'commit', json_extract(record, '$.commit'), 'at', read_at,
            'actor', json_object('name', 'martlet')
        ) FROM commits ORDER BY number DESC LIMIT 1;

        CREATE TABLE confirmations (
            id TEXT NOT NULL PRIMARY KEY,
            confirmation TEXT NOT NULL
        ) STRICT;
        """
}
