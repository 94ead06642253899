package import Planning

/// What verbs do to a state directory without asking its controller; the executable fills it in.
package struct StateTools: Sendable {
    /// What `martlet backup` was asked for.
    package struct BackupRequest: Sendable, Hashable {
        /// Nil: the default place.
        package var stateDirectory: String?
        /// The path of the backup.
        package var file: String
        package var withArtifacts: Bool
        /// Whether a file that is there is replaced.
        package var replacing: Bool
    }

    /// What `martlet restore` was asked for.
    package struct RestoreRequest: Sendable, Hashable {
        /// Nil: the default place.
        package var stateDirectory: String?
        /// The path of the backup.
        package var file: String
        /// Whether a state that is there is set aside.
        package var replacing: Bool
        /// Who asks, for the audit log.
        package var actor: Actor
    }

    /// What a backup holds.
    package struct BackupSummary: Sendable, Hashable, Codable {
        package var file: String
        package var createdAt: Timestamp
        /// The Martlet that wrote it.
        package var version: String
        /// How many files are in it, and how many bytes they have together.
        package var files: Int
        package var bytes: Int64

        package init(file: String, createdAt: Timestamp, version: String, files: Int, bytes: Int64) {
            self.file = file
            self.createdAt = createdAt
            self.version = version
            self.files = files
            self.bytes = bytes
        }
    }

    /// What a restore did.
    package struct RestoreSummary: Sendable, Hashable, Codable {
        package var backup: BackupSummary
        /// Where the state lies that was there; nil when there was none.
        package var aside: String?
        /// What the check of the restored audit log said.
        package var audit: AuditVerification
        /// Whether an earlier restore had been cut short.
        package var wasCutShort: Bool

        package init(backup: BackupSummary, aside: String?, audit: AuditVerification, wasCutShort: Bool = false) {
            self.backup = backup
            self.aside = aside
            self.audit = audit
            self.wasCutShort = wasCutShort
        }
    }

    package var backup: @Sendable (BackupRequest) async throws -> BackupSummary
    package var restore: @Sendable (RestoreRequest) async throws -> RestoreSummary

    package init(
        backup: @escaping @Sendable (BackupRequest) async throws -> BackupSummary,
        restore: @escaping @Sendable (RestoreRequest) async throws -> RestoreSummary
    ) {
        self.backup = backup
        self.restore = restore
    }
}
