internal import CLibGit2
internal import Schema

extension MartletError {
    /// Puts what libgit2 complains about during a fetch into words that say what to do. Never repeats a secret.
    init(fetching request: FetchRequest, _ failure: GitFailure, hasOfferedCredentials: Bool) {
        var failure = failure
        for secret in [request.password, request.sshKeyPassphrase] {
            if let secret, !secret.isEmpty { failure.description.replace(secret, with: "***") }
        }
        // What git says on the other side of an ssh connection comes in several categories.
        if failure.description.contains("does not appear to be a git repository") {
            self = .remoteNotFound(request)
            return
        }
        switch failure.category {
        case GIT_ERROR_HTTP: self.init(http: request, failure, hasOfferedCredentials)
        case GIT_ERROR_SSH: self.init(ssh: request, failure, hasOfferedCredentials)
        case GIT_ERROR_NET: self.init(network: request, failure)
        case _ where failure.code == GIT_ECERTIFICATE: self = .certificateRefused(request, failure)
        case GIT_ERROR_SSL:
            self.init(
                "ConnectionInsecure",
                "no secure connection to '\(request.address)' comes about",
                disposition: .retryable,
                cause: failure
            )
        case GIT_ERROR_INDEXER, GIT_ERROR_ZLIB, GIT_ERROR_ODB, GIT_ERROR_OBJECT, GIT_ERROR_SHA:
            self.init(
                "PackCorrupt",
                "'\(request.address)' sent a pack that is damaged; nothing of it was kept, and it is asked again. Should "
                    + "it last, `git fsck` on the server says why",
                disposition: .retryable,
                cause: failure
            )
        case GIT_ERROR_OS, GIT_ERROR_FILESYSTEM, GIT_ERROR_NOMEMORY: self.init(system: request, failure)
        default: self.init(other: request, failure, hasOfferedCredentials)
        }
    }

    private init(http request: FetchRequest, _ failure: GitFailure, _ hasOfferedCredentials: Bool) {
        let status = failure.description.split(separator: " ").last.flatMap { Int($0) }
        switch (failure.code, status) {
        case (GIT_EAUTH, _), (_, 401), (_, 403):
            self = hasOfferedCredentials ? .credentialsRefused(request) : .credentialsMissing(request)
        case (_, 404), (_, 410):
            self = .remoteNotFound(request)
        case _ where failure.description.contains("redirect"):
            // Wrong credentials are asked for again and again, too.
            self = hasOfferedCredentials ? .credentialsRefused(request) : .redirectLoop(request, failure)
        case _ where failure.description.contains("stream ended"):
            self = .connectionLost(request, failure)
        case _ where failure.description.contains("content-type"):
            self.init(
                "NotAGitServer",
                "'\(request.address)' answers, but not as a git server does: check the address",
                disposition: .waiting,
                cause: failure
            )
        default:
            self.init(
                "RemoteFailing",
                "'\(request.address)' cannot answer now; it is asked again",
                disposition: .retryable,
                cause: failure
            )
        }
    }

    private init(network request: FetchRequest, _ failure: GitFailure) {
        let words = failure.description
        switch failure.code {
        case GIT_EAUTH: self = .credentialsMissing(request)
        case GIT_ENOTFOUND: self = .remoteNotFound(request)
        case _ where words.hasPrefix("cannot redirect"): self = .redirectRefused(request, failure)
        case _ where words.contains("resolve address"):
            self.init(
                "HostNotFound",
                "the name of the host in '\(request.address)' has no address: check its spelling and the name service",
                disposition: .retryable,
                cause: failure
            )
        case _ where words.contains("failed to connect"): self = .unreachable(request, failure)
        case _ where words.contains("not found"): self = .remoteNotFound(request)
        default:
            self = .connectionLost(request, failure)
        }
    }

    private init(ssh request: FetchRequest, _ failure: GitFailure, _ hasOfferedCredentials: Bool) {
        if failure.code == GIT_EAUTH || failure.description.contains("authenticat") {
            self = hasOfferedCredentials ? .credentialsRefused(request) : .credentialsMissing(request)
        } else {
            self = .connectionLost(request, failure)
        }
    }

    private init(system request: FetchRequest, _ failure: GitFailure) {
        let words = failure.description
        switch request.transport {
        case _ where words.contains("File too large"):
            self = .tooLarge(request)
        case .file where words.contains("failed to resolve path"):
            self = .remoteNotFound(request)
        case _ where words.contains("failed to connect"):
            self = .unreachable(request, failure)
        case _ where words.contains("onnect") || words.contains("socket"):
            self = .connectionLost(request, failure)
        default:
            self.init(
                "FetchFailed",
                "what '\(request.address)' sends cannot be written to '\(request.clone)': check the disk and its rights",
                disposition: .retryable,
                cause: failure
            )
        }
    }

    private init(other request: FetchRequest, _ failure: GitFailure, _ hasOfferedCredentials: Bool) {
        switch failure.code {
        case GIT_EAUTH: self = hasOfferedCredentials ? .credentialsRefused(request) : .credentialsMissing(request)
        case GIT_ENOTFOUND where request.transport == .file && failure.category == GIT_ERROR_REPOSITORY:
            self = .remoteNotFound(request)
        case GIT_ENOTFOUND where failure.category == GIT_ERROR_CONFIG, GIT_EOWNER:
            self.init(failure, .openRepository(path: request.address))
        default:
            self.init(
                "FetchFailed",
                "'\(request.address)' cannot be fetched",
                disposition: .retryable,
                cause: failure
            )
        }
    }
}

// Errors that come about in more than one way.
extension MartletError {
    static func tooLarge(_ request: FetchRequest) -> MartletError {
        MartletError(
            "FetchTooLarge",
            "'\(request.address)' sends more than the \(request.maxBytes) bytes that a fetch may bring; nothing of it was "
                + "kept. Take large files out of the repository's history, or raise --max-fetch",
            disposition: .waiting
        )
    }

    static func credentialsMissing(_ request: FetchRequest) -> MartletError {
        let options =
            request.transport == .ssh
            ? "give a key with --ssh-key" : "give --username and --password-env or --password-file"
        return MartletError(
            "CredentialsMissing",
            "'\(request.address)' asks who we are, and no credentials for it are given: \(options)",
            disposition: .waiting
        )
    }

    static func credentialsRefused(_ request: FetchRequest) -> MartletError {
        let what =
            request.transport == .ssh
            ? "ssh key, or the key's passphrase is wrong," : "username with its password or token,"
        return MartletError(
            "CredentialsRefused",
            "'\(request.address)' does not accept the \(what) or does not let it read the repository: replace the secret, "
                + "or grant it access",
            disposition: .waiting
        )
    }

    fileprivate static func unreachable(_ request: FetchRequest, _ failure: GitFailure) -> MartletError {
        MartletError(
            "RemoteUnreachable",
            "'\(request.address)' cannot be reached: nothing listens there, or a firewall is in between; it is tried again",
            disposition: .retryable,
            cause: failure
        )
    }

    fileprivate static func connectionLost(_ request: FetchRequest, _ failure: GitFailure) -> MartletError {
        MartletError(
            "ConnectionLost",
            "the connection to '\(request.address)' broke off or made no sense; it is tried again",
            disposition: .retryable,
            cause: failure
        )
    }

    fileprivate static func remoteNotFound(_ request: FetchRequest) -> MartletError {
        MartletError(
            "RemoteNotFound",
            "there is no repository at '\(request.address)', or it does not show itself to us: check the address and the "
                + "credentials",
            disposition: .waiting
        )
    }

    fileprivate static func certificateRefused(_ request: FetchRequest, _ failure: GitFailure) -> MartletError {
        // As OpenSSL and as mbed TLS say it.
        let isOfAnother = ["hostname", "Common Name"].contains { failure.description.contains($0) }
        return MartletError(
            "CertificateRefused",
            isOfAnother
                ? "the certificate that '\(request.address)' shows is for another host: write the name that it is for, or "
                    + "have the server show its own"
                : "the certificate that '\(request.address)' shows has expired, is not valid yet, or is not signed by an "
                    + "authority that is trusted here: renew it, or name its authority's file with --ca-file ('caFile' of "
                    + "a source, or SSL_CERT_FILE for all)",
            disposition: .waiting,
            cause: failure
        )
    }

    fileprivate static func redirectLoop(_ request: FetchRequest, _ failure: GitFailure) -> MartletError {
        MartletError(
            "RedirectLoop",
            "'\(request.address)' sends us from place to place without an end: check the address, and what the server says "
                + "of it",
            disposition: .waiting,
            cause: failure
        )
    }

    fileprivate static func redirectRefused(_ request: FetchRequest, _ failure: GitFailure) -> MartletError {
        MartletError(
            "RedirectRefused",
            "'\(request.address)' sends us to another host, which is never followed: if the repository has moved, write its "
                + "new address",
            disposition: .waiting,
            cause: failure
        )
    }
}
