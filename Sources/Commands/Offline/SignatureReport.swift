internal import Planning
internal import Schema

/// Whether a commit would be let in, by who signed it.
struct SignatureReport: Encodable {
    /// Nil: nobody can tell before it is committed.
    var isAccepted: Bool?
    var signer: String?
    /// For people, in one sentence.
    var message: String

    /// Asks about a commit, as if `base` were in force; nil when no signature is demanded.
    ///
    /// - Parameter head: As it was read; its own rules must be such that somebody can satisfy them.
    static func make(
        of head: DesiredState,
        after base: DesiredState?,
        by signatures: SignatureGuard,
        isCommitted: Bool
    ) throws -> SignatureReport? {
        let need = try signatures.need(of: head.commit.id, after: base)
        do {
            try signatures.checkRules(of: head, blaming: head.commit.id, after: base)
            guard let need else { return nil }
            guard isCommitted else {
                return SignatureReport(
                    message:
                        "'\(need.path)' is guarded: the commit has to be signed by an allowed signer (\(need.origin))"
                )
            }
            let signer = try signatures.admit(head.commit, after: base).signer
            let by = signer.map { "it is signed by \($0)" } ?? "what touches guarded paths is signed"
            return SignatureReport(isAccepted: true, signer: signer, message: "the commit is accepted: \(by)")
        } catch let error as MartletError where error.code == SignatureGuard.rejected {
            return SignatureReport(isAccepted: false, message: error.message)
        }
    }
}
