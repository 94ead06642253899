internal import Commands
internal import Controller
internal import Foundation
internal import GitSource
internal import ManifestYAML
internal import Planning
internal import Schema
internal import ServiceLifecycle
internal import StateStore

/// The repositories that a controller follows, opened, and the services that keep remote ones up to date.
struct FollowedSources {
    /// The one there is, or all of them as one.
    let repository: any SourceRepository
    let place: DesiredStateReader.Place
    /// Of manifests that name none.
    let namespace: String
    /// Check who signed the commits of each source, by name; of the only one, by the empty name.
    let verifiers: [String: any CommitVerifier]
    /// What each source may declare.
    let scopes: [String: NamespaceScope]
    let services: [any Service]
    /// The secrets of sources that take hooks, by the sources' names.
    let hooks: [String: SecretReference]

    /// Throws for a local repository that cannot be opened, and for an address or a secret that is of no use.
    ///
    /// - Parameter waits: Whether the only source may be away too, since what came from it before can go on serving.
    init(_ options: RunOptions, in paths: StatePaths, secrets: SecretReader, waits: Bool) throws {
        // What a process that was killed has left.
        try? FileManager.default.removeItem(atPath: paths.signatures)
        let sources = options.sources?.sources ?? [FollowedSources.only(options)]
        let opener = SourceOpener(
            folder: options.sources?.folder,
            paths: paths,
            secrets: secrets,
            limits: options.remote
        )
        let opened = try sources.map { try opener.open($0, mayBeAway: waits || sources.count > 1) }
        let members = zip(sources, opened.map(\.repository)).map { source, repository in
            SourceSet.Member(
                name: source.name,
                repository: repository,
                // The user in an address may be a token.
                location: (repository as? RemoteRepository)?.options.url.description ?? source.url,
                ref: source.ref,
                path: source.path ?? ""
            )
        }
        self.services = members.compactMap { ($0.repository as? RemoteRepository).map(FetchingService.init) }
        self.hooks = Dictionary(
            uniqueKeysWithValues: sources.compactMap { source in
                (source.hook?.secret ?? options.hooks?.secret).map { (source.name, $0) }
            }
        )
        if let source = sources.first, let member = members.first, sources.count == 1 {
            self.repository = member.repository
            self.verifiers = Dictionary(uniqueKeysWithValues: opened.map { ("", $0.verifier) })
            self.place = DesiredStateReader.Place(location: member.location, ref: member.ref, path: member.path)
            self.namespace = source.namespace
            self.scopes = ["": NamespaceScope(source)]
        } else {
            self.repository = SourceSet(members)
            self.verifiers = Dictionary(uniqueKeysWithValues: zip(sources.map(\.name), opened.map(\.verifier)))
            self.place = DesiredStateReader.Place(
                location: "\(members.count) sources",
                ref: "",
                path: SourceSet.followedFolders
            )
            self.namespace = options.namespace
            self.scopes = Dictionary(uniqueKeysWithValues: sources.map { ($0.name, NamespaceScope($0)) })
        }
    }

    /// The source that the command line alone describes.
    private static func only(_ options: RunOptions) -> SourceSpec {
        var source = SourceSpec(
            name: "default",
            url: options.repository,
            ref: options.ref,
            path: options.path.isEmpty ? nil : options.path,
            namespace: options.namespace,
            namespaces: .all
        )
        source.poll = options.remote.poll
        source.credentials = SourceSpec.Credentials(
            username: options.remote.username,
            password: options.remote.password,
            sshKey: options.remote.sshKey,
            passphrase: options.remote.passphrase,
            knownHosts: options.remote.knownHosts,
            caFile: options.remote.caFile
        )
        return source
    }
}

/// Opens the repositories of sources.
private struct SourceOpener {
    /// Where relative paths begin; nil: the folder that the process was started in.
    let folder: String?
    let paths: StatePaths
    let secrets: SecretReader
    /// What any fetch may cost.
    let limits: RemoteRunOptions

    /// A repository, and who checks the signatures of its commits.
    typealias Opened = (repository: any SourceRepository, verifier: GitCommitVerifier)

    /// - Parameter mayBeAway: Whether a folder without a repository is waited for, and not an error.
    func open(_ source: SourceSpec, mayBeAway: Bool) throws -> Opened {
        guard !RemoteURL.isRemote(source.url) else {
            let remote = try self.openRemote(source)
            return (remote, GitCommitVerifier(try remote.clone, scratch: self.paths.signatures))
        }
        let path = self.path(source.url)
        guard mayBeAway else {
            let repository = try GitRepository(path: path)
            return (repository, GitCommitVerifier(repository, scratch: self.paths.signatures))
        }
        let late = LateRepository(path: path, poll: source.poll.duration)
        return (late, GitCommitVerifier(try late.repository(), scratch: self.paths.signatures))
    }

    private func openRemote(_ source: SourceSpec) throws -> RemoteRepository {
        let options = RemoteOptions(
            url: try RemoteURL(source.url),
            ref: source.ref,
            credentials: self.credentials(source.credentials),
            poll: source.poll.duration,
            deadline: self.limits.deadline.duration,
            maxBytes: self.limits.maxFetch.bytes,
            allowsPlainHTTP: self.limits.allowsPlainHTTP
        )
        let fetches = FetchProcess(executable: try Controlling.executable(), deadline: options.deadline)
        let secrets = self.secrets
        return try RemoteRepository(
            options,
            clonesIn: self.paths.clones,
            surroundings: RemoteRepository.Surroundings(
                fetcher: { try await fetches.perform($0) },
                secret: { String(decoding: try secrets.read($0), as: UTF8.self) },
                clock: ContinuousClock(),
                wallClock: SystemClock(),
                jitter: { Double.random(in: 0...1) }
            )
        )
    }

    private func credentials(_ credentials: SourceSpec.Credentials?) -> RemoteCredentials {
        RemoteCredentials(
            username: credentials?.username,
            password: credentials?.password,
            sshKey: credentials?.sshKey.map { self.secrets.path(of: $0) },
            sshKeyPassphrase: credentials?.passphrase,
            // The fetch works elsewhere, so it gets no relative paths.
            knownHosts: credentials?.knownHosts.map { URL(filePath: self.path($0)).absoluteURL.path },
            caFile: credentials?.caFile.map { URL(filePath: self.path($0)).absoluteURL.path }
        )
    }

    /// A path of the file of sources as the process sees it.
    private func path(_ path: String) -> String {
        guard let folder = self.folder, !path.hasPrefix("/") else { return path }
        return "\(folder)/\(path)"
    }
}

/// Keeps the clone of a remote repository up to date.
private struct FetchingService: Service {
    let repository: RemoteRepository

    func run() async throws {
        await cancelWhenGracefulShutdown { await self.repository.run() }
    }
}
