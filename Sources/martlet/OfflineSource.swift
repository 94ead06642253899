internal import Commands
internal import Foundation
internal import GitSource
internal import Planning
internal import Schema
internal import StateStore

/// Opens sources for the verbs that ask no server: a remote one as a controller fetched it last.
enum OfflineSource {
    /// - Parameter folder: Where relative paths begin.
    static func open(
        _ source: SourceSpec,
        in folder: String,
        stateDirectory: String?,
        environment: [String: String]
    ) throws -> any SourceRepository {
        guard RemoteURL.isRemote(source.url) else {
            return try GitRepository(path: source.url.hasPrefix("/") ? source.url : "\(folder)/\(source.url)")
        }
        let paths = try Martlet.paths(stateDirectory: stateDirectory, environment: environment)
        // Nothing is sent, encrypted or not, and nobody asks for a password.
        let options = RemoteOptions(
            url: try RemoteURL(source.url),
            ref: source.ref,
            // Clones of different users are different ones.
            credentials: RemoteCredentials(username: source.credentials?.username),
            allowsPlainHTTP: true
        )
        let missing = MartletError(
            "NotFetchedYet",
            "there is no clone of '\(options.url)' at '\(source.ref)' in '\(paths.clones)', and nothing is fetched here: "
                + "name the state directory of a controller that follows it with --state-dir, or a folder with its files "
                + "with --work-tree \(source.name)=FOLDER; else have 'url' be the path of a clone of yours"
        )
        let repository = try RemoteRepository(
            options,
            clonesIn: paths.clones,
            surroundings: RemoteRepository.Surroundings(
                fetcher: { _ in throw missing },
                secret: { _ in throw missing },
                clock: ContinuousClock(),
                wallClock: SystemClock(),
                jitter: { 0 }
            )
        )
        do {
            _ = try repository.clone
        } catch let error as MartletError where error.code == "NotFetchedYet" {
            throw missing
        }
        return repository
    }
}
