package import Schema

/// Runs the programs of chains in children that are kept warm.
package protocol ProgramCaller: Sendable {
    /// Puts a program's files where they can be run, so that its first call finds them. Throws a ``MartletError`` that
    /// says which file cannot be had, or why programs cannot be run on this machine.
    func prepare(_ program: RevisionGraph.Program) async throws

    /// Has a program answer one call. Cancelling ends the child that works on it.
    ///
    /// - Parameter timeout: For all of it, the wait for a free child included; the program's own limit counts too.
    ///
    /// Throws ``OutboundFailure`` and `CancellationError`.
    func call(_ program: RevisionGraph.Program, input: JSONValue, timeout: Duration) async throws -> JSONValue

    /// Ends the children, and removes the files, of all programs that none of some revisions needs.
    func prune(keeping graphs: [RevisionGraph]) async
}
