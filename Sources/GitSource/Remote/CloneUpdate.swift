internal import CLibGit2
internal import Glibc
internal import Schema

/// One fetch into a clone: asks the server, receives what is missing into a quarantine, checks it, and only then lets
/// readers see it.
struct CloneUpdate {
    let request: FetchRequest
    let folder: CloneFolder

    init(_ request: FetchRequest, _ folder: CloneFolder) {
        self.request = request
        self.folder = folder
    }

    func run() throws -> FetchAnswer {
        let clone = try Clone(opening: self.folder)
        let quarantine = try clone.makeQuarantine()
        let wanted: git_oid
        if let id = try? LibGit2.objectID(self.request.ref.lowercased()) {
            // What an id stands for never changes, so that there is nothing to ask for once it is here.
            if try clone.followed()?.hexadecimal != id.hexadecimal { try self.receive(id, into: quarantine) }
            wanted = id
        } else {
            wanted = try self.receiveRef(into: quarantine)
        }
        let commit = try quarantine.commit(of: wanted, named: self.request.ref)
        if try clone.followed()?.hexadecimal != commit.hexadecimal {
            try quarantine.checkCompleteness(of: commit, known: try clone.followed())
            try self.folder.adoptPacks(from: "\(self.folder.quarantine)/objects/pack")
            try Clone(opening: self.folder).follow(commit)
        }
        self.folder.removeSetAside()
        return FetchAnswer(
            commit: commit.hexadecimal,
            packs: self.folder.packNames().count,
            bytes: self.folder.packBytes()
        )
    }

    /// Receives a branch, a tag or the server's HEAD, and returns what it stands for.
    private func receiveRef(into quarantine: Clone) throws -> git_oid {
        let session = try RemoteSession(self.request, into: quarantine, folder: self.folder)
        let advertised = try session.connect()
        guard let name = Self.names(for: self.request.ref).first(where: { advertised[$0] != nil }),
            let id = advertised[name]
        else { throw self.missing(amongst: Array(advertised.keys)) }
        try session.download([name])
        return id
    }

    /// Receives a commit: by a ref that stands for it, else by its id, else with everything that the server has.
    private func receive(_ id: git_oid, into quarantine: Clone) throws {
        let session = try RemoteSession(self.request, into: quarantine, folder: self.folder)
        let advertised = try session.connect()
        var id = id
        let name = advertised.first { $0.value.hexadecimal == id.hexadecimal }
        do {
            try session.download([name?.key ?? id.hexadecimal])
            if git_odb_exists(quarantine.handle.objects, &id) == 1 { return }
        } catch  where name == nil && session.refusal == nil {
            // Many servers give no commits by their ids.
        }
        let second = try RemoteSession(self.request, into: quarantine, folder: self.folder)
        _ = try second.connect()
        try second.download(["refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*"])
        guard git_odb_exists(quarantine.handle.objects, &id) == 1 else { throw self.missing(amongst: []) }
    }

    /// The names under which a server may know a ref, in the order in which they count.
    private static func names(for ref: String) -> [String] {
        if ref == "HEAD" || ref.hasPrefix("refs/") { return [ref] }
        return ["refs/heads/\(ref)", "refs/tags/\(ref)"]
    }

    private func missing(amongst advertised: [String]) -> MartletError {
        let names = advertised.compactMap { name in
            let prefix = ["refs/heads/", "refs/tags/"].first { name.hasPrefix($0) }
            return prefix.map { String(name.dropFirst($0.count)) }
        }
        let (ref, address) = (self.request.ref, self.request.address)
        if advertised.isEmpty || ref == "HEAD", (try? LibGit2.objectID(ref)) == nil {
            return MartletError(
                "RepositoryEmpty",
                "'\(address)' has no commit to follow yet: push one",
                disposition: .waiting
            )
        }
        return MartletError(
            "RefNotFound",
            "'\(address)' has no branch, tag or commit '\(ref)'" + NearestWord.hint(for: ref, among: names)
                + "; a commit is named by all 40 digits of its id",
            disposition: .waiting
        )
    }
}
