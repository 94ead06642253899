internal import ManifestYAML
internal import Planning
internal import Schema

extension DesiredStateReader {
    /// What a restart finds of the commit that was in force before it.
    enum Restored {
        /// There is nothing to read before the newest commit.
        case nothing
        case state(DesiredState)
        /// It is not in the repository any more, as after a force push and a clean-up: only the newest is there to go on
        /// with.
        case gone
        /// It may still be there, but could not be read this time.
        case failure(any Error)

        var state: DesiredState? {
            if case .state(let state) = self { state } else { nil }
        }
    }

    /// After a restart, reads the commit in force first, where another one is the newest by now: what that changes
    /// counts from there, files included that can no longer be read.
    func restore(
        _ gate: SyncGate,
        _ newest: Result<CommitSummary, any Error>,
        _ state: inout State
    ) -> Restored {
        guard state.loader.desired == nil, let applied = gate.applied else { return .nothing }
        if case .success(let newest) = newest, newest.id == applied { return .nothing }
        let commit: CommitSummary
        do {
            // Of several sources, those go on that can.
            commit = try self.sources?.inForce ?? self.repository.resolve(applied)
        } catch let error as MartletError where ["RefNotFound", "ObjectNotFound"].contains(error.code) {
            return .gone
        } catch {
            return .failure(error)
        }
        do {
            return .state(try state.loader.load(commit))
        } catch {
            return .failure(error)
        }
    }
}
