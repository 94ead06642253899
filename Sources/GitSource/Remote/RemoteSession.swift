internal import CLibGit2
internal import Glibc
internal import Schema

/// One connection to a git server.
final class RemoteSession {
    private let request: FetchRequest
    private let remote: OpaquePointer
    private let watch: FetchWatch

    /// Prepares a connection; what is received goes into `repository`.
    init(_ request: FetchRequest, into repository: Clone, folder: CloneFolder) throws {
        self.request = request
        self.watch = FetchWatch(request, folder: folder)
        var options = git_remote_create_options()
        git_remote_create_options_init(&options, UInt32(GIT_REMOTE_CREATE_OPTIONS_VERSION))
        options.repository = repository.handle.repository
        options.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF.rawValue | GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC.rawValue
        var remote: OpaquePointer?
        let outcome = git_remote_create_with_opts(&remote, request.address, &options)
        guard outcome == 0, let remote else {
            throw MartletError(fetching: request, GitFailure(outcome), hasOfferedCredentials: false)
        }
        self.remote = remote
    }

    deinit {
        git_remote_disconnect(self.remote)
        git_remote_free(self.remote)
    }

    /// Why this side ended the connection; nil when it did not.
    var refusal: MartletError? { self.watch.refusal }

    /// Connects, and returns what the server's refs stand for.
    func connect() throws -> [String: git_oid] {
        try self.watch.checkDisk()
        var options = git_remote_connect_options()
        git_remote_connect_options_init(&options, UInt32(GIT_REMOTE_CONNECT_OPTIONS_VERSION))
        options.callbacks = self.watch.callbacks()
        options.proxy_opts = self.proxy()
        options.follow_redirects = GIT_REMOTE_REDIRECT_NONE
        try self.check(git_remote_connect_ext(self.remote, GIT_DIRECTION_FETCH, &options))
        var heads: UnsafeMutablePointer<UnsafePointer<git_remote_head>?>?
        var count = 0
        try self.check(git_remote_ls(&heads, &count, self.remote))
        var advertised: [String: git_oid] = [:]
        for head in UnsafeBufferPointer(start: heads, count: count) {
            guard let head = head?.pointee, let name = head.name else { continue }
            advertised[String(cString: name)] = head.oid
        }
        return advertised
    }

    /// Receives what some refs or ids reach and is not here yet. No ref is written.
    func download(_ specifications: [String]) throws {
        var options = git_fetch_options()
        git_fetch_options_init(&options, UInt32(GIT_FETCH_OPTIONS_VERSION))
        options.callbacks = self.watch.callbacks()
        options.proxy_opts = self.proxy()
        options.follow_redirects = GIT_REMOTE_REDIRECT_NONE
        options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE
        options.prune = GIT_FETCH_NO_PRUNE
        var texts = specifications.map { strdup($0) }
        defer { for text in texts { free(text) } }
        let outcome = texts.withUnsafeMutableBufferPointer { texts in
            var list = git_strarray(strings: texts.baseAddress, count: texts.count)
            return git_remote_download(self.remote, &list, &options)
        }
        try self.check(outcome)
    }

    /// A server on this machine is never reached through a proxy; others by what `HTTPS_PROXY` and the like say.
    private func proxy() -> git_proxy_options {
        var options = git_proxy_options()
        git_proxy_options_init(&options, UInt32(GIT_PROXY_OPTIONS_VERSION))
        options.type = self.request.isLoopback ? GIT_PROXY_NONE : GIT_PROXY_AUTO
        return options
    }

    /// Throws why a call failed: this side's own refusal, if there was one, else what libgit2 complains about.
    private func check(_ outcome: Int32) throws {
        guard outcome < 0 else { return }
        let failure = GitFailure(outcome)
        throw self.watch.refusal
            ?? MartletError(
                fetching: self.request,
                failure,
                hasOfferedCredentials: self.watch.hasOfferedCredentials
            )
    }
}
