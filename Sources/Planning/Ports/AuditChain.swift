package import Schema

/// The rule that ties the audit log together: every entry's digest is made over the digest before it and its own fields.
///
/// A change to an old entry shows in its own digest, and a removed or added one in the digest after it.
package struct AuditChain: Sendable, Hashable {
    /// How many entries there are.
    package private(set) var length: Int64
    /// The digest of the newest entry; nil before the first.
    package private(set) var head: Digest?

    package init(length: Int64 = 0, head: Digest? = nil) {
        self.length = length
        self.head = head
    }

    /// Numbers and seals an entry as the next one.
    package mutating func append(_ entry: AuditEntry) -> AuditEntry {
        var entry = entry
        entry.sequence = self.length + 1
        entry.digest = self.digest(of: entry)
        self.length = entry.sequence
        self.head = entry.digest
        return entry
    }

    /// Whether a stored entry is the one that comes next; if so, the chain ends with it from now on.
    package mutating func accept(_ entry: AuditEntry) -> Bool {
        var longer = self
        guard longer.append(entry) == entry else { return false }
        self = longer
        return true
    }

    /// Reads stored entries in order and compares what they add up to with this chain, as it was written down.
    package func verify(_ next: () throws -> AuditEntry?) rethrows -> AuditVerification {
        var read = AuditChain()
        while let entry = try next() {
            guard read.accept(entry) else {
                return self.broken(
                    at: read.length + 1,
                    "entry \(read.length + 1) is not the one that was written there: the audit log was changed"
                )
            }
        }
        guard read == self else {
            return self.broken(
                at: read.length + 1,
                "the audit log has \(read.length) entries, and \(self.length) were written: the newest were changed"
            )
        }
        return AuditVerification(entries: read.length, brokenAt: nil, message: "the audit log is whole")
    }

    private func broken(at sequence: Int64, _ message: String) -> AuditVerification {
        AuditVerification(entries: self.length, brokenAt: sequence, message: message)
    }

    private func digest(of entry: AuditEntry) -> Digest {
        var fields: [String: JSONValue] = [
            "previous": self.head.map { .string($0.hex) } ?? .null,
            "sequence": .integer(entry.sequence),
            "at": .integer(entry.at.milliseconds),
            "actor": .string(entry.actor.name),
            "action": .string(entry.action),
            "subject": .string(entry.subject),
            "reason": .string(entry.reason),
            "origin": .string(entry.origin),
            "commit": entry.commit.map { .string($0) } ?? .null,
        ]
        // Only where there is one: entries from before signers were written down keep their digests.
        fields["signer"] = entry.signer.map { .string($0) }
        return Digest(canonical: .object(fields))
    }
}
