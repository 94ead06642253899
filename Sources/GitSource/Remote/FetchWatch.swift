internal import CLibGit2
internal import Foundation
internal import Schema

/// Stands by a connection: shows credentials, checks who the server is, and ends what grows too large.
final class FetchWatch {
    /// How much may arrive between two looks at the disk.
    private static let lookInterval: Int64 = 4 << 20

    private let request: FetchRequest
    private let folder: CloneFolder
    private var lookedAt: Int64 = 0
    private(set) var hasOfferedCredentials = false
    /// Why the connection was ended from this side.
    private(set) var refusal: MartletError?

    init(_ request: FetchRequest, folder: CloneFolder) {
        self.request = request
        self.folder = folder
    }

    /// The functions that libgit2 calls back; this object must outlive their use.
    func callbacks() -> git_remote_callbacks {
        var callbacks = git_remote_callbacks()
        git_remote_init_callbacks(&callbacks, UInt32(GIT_REMOTE_CALLBACKS_VERSION))
        callbacks.payload = Unmanaged.passUnretained(self).toOpaque()
        callbacks.credentials = { out, _, user, allowed, payload in
            FetchWatch.from(payload)?.offerCredentials(out, user: user, allowed: allowed) ?? GIT_EAUTH.rawValue
        }
        callbacks.certificate_check = { certificate, isValid, host, payload in
            FetchWatch.from(payload)?.judge(certificate, isValid: isValid, host: host) ?? GIT_ECERTIFICATE.rawValue
        }
        callbacks.transfer_progress = { progress, payload in
            FetchWatch.from(payload)?.note(progress) ?? GIT_EUSER.rawValue
        }
        return callbacks
    }

    private static func from(_ payload: UnsafeMutableRawPointer?) -> FetchWatch? {
        payload.map { Unmanaged<FetchWatch>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Throws `DiskAlmostFull` when less is free than must stay free.
    func checkDisk() throws {
        guard let free = self.folder.freeBytes(), free < self.request.reservedBytes else { return }
        throw MartletError(
            "DiskAlmostFull",
            "only \(free >> 20) MiB are free on the disk of '\(self.folder.path)', and a fetch leaves "
                + "\(self.request.reservedBytes >> 20) MiB: make room",
            disposition: .waiting
        )
    }

    private func note(_ progress: UnsafePointer<git_indexer_progress>?) -> Int32 {
        guard let progress else { return 0 }
        let received = Int64(progress.pointee.received_bytes)
        guard received <= self.request.maxBytes else {
            self.refusal = .tooLarge(self.request)
            return GIT_EUSER.rawValue
        }
        guard received - self.lookedAt >= Self.lookInterval else { return 0 }
        self.lookedAt = received
        do {
            try self.checkDisk()
            return 0
        } catch {
            self.refusal = error as? MartletError
            return GIT_EUSER.rawValue
        }
    }
}

// Who we are.
extension FetchWatch {
    private func offerCredentials(
        _ out: UnsafeMutablePointer<UnsafeMutablePointer<git_credential>?>?,
        user: UnsafePointer<CChar>?,
        allowed: UInt32
    ) -> Int32 {
        let name = self.request.username ?? user.map { String(cString: $0) } ?? "git"
        if allowed & GIT_CREDENTIAL_USERNAME.rawValue != 0 {
            return git_credential_username_new(out, name)
        }
        guard !self.hasOfferedCredentials else {
            self.refusal = .credentialsRefused(self.request)
            return GIT_EAUTH.rawValue
        }
        self.hasOfferedCredentials = true
        if let key = self.request.sshKey, allowed & GIT_CREDENTIAL_SSH_KEY.rawValue != 0 {
            self.refusal = Self.refusal(ofKeyAt: key)
            guard self.refusal == nil else { return GIT_EAUTH.rawValue }
            return git_credential_ssh_key_new(out, name, nil, key, self.request.sshKeyPassphrase)
        }
        if let password = self.request.password, allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT.rawValue != 0 {
            return git_credential_userpass_plaintext_new(out, name, password)
        }
        self.refusal = .credentialsMissing(self.request)
        return GIT_EAUTH.rawValue
    }
}

extension FetchWatch {
    /// Why the file of a private key is of no use; nil when it is.
    private static func refusal(ofKeyAt path: String) -> MartletError? {
        var status = stat()
        guard access(path, R_OK) == 0, stat(path, &status) == 0 else {
            return MartletError(
                "KeyUnreadable",
                "the ssh key '\(path)' cannot be read: \(String(cString: strerror(errno)))",
                disposition: .waiting
            )
        }
        guard status.st_mode & 0o077 == 0 else {
            return MartletError(
                "SecretExposed",
                "others can read the ssh key '\(path)': chmod 600 it",
                disposition: .waiting
            )
        }
        return nil
    }
}

// Who the server is.
extension FetchWatch {
    private func judge(
        _ certificate: UnsafeMutablePointer<git_cert>?,
        isValid: Int32,
        host: UnsafePointer<CChar>?
    ) -> Int32 {
        if isValid == 1 { return 0 }
        let host = host.map { String(cString: $0) } ?? self.request.address
        guard let certificate, certificate.pointee.cert_type == GIT_CERT_HOSTKEY_LIBSSH2 else {
            // libgit2 goes on to say what is wrong with it.
            return GIT_PASSTHROUGH.rawValue
        }
        let key = UnsafeMutableRawPointer(certificate).assumingMemoryBound(to: git_cert_hostkey.self).pointee
        let file = self.request.knownHosts ?? "~/.ssh/known_hosts"
        self.refusal = MartletError(
            "HostKeyRefused",
            "the key of \(host), \(Self.fingerprint(of: key)), is not the one in '\(file)', or there is none: compare the "
                + "fingerprint with what the server's people publish, then add the line that `ssh-keyscan` prints",
            disposition: .waiting
        )
        return GIT_ECERTIFICATE.rawValue
    }

    /// As `ssh` prints it: `ED25519 SHA256:…`.
    private static func fingerprint(of key: git_cert_hostkey) -> String {
        let name =
            switch key.raw_type {
            case GIT_CERT_SSH_RAW_TYPE_RSA: "RSA"
            case GIT_CERT_SSH_RAW_TYPE_DSS: "DSA"
            case GIT_CERT_SSH_RAW_TYPE_KEY_ECDSA_256, GIT_CERT_SSH_RAW_TYPE_KEY_ECDSA_384,
                GIT_CERT_SSH_RAW_TYPE_KEY_ECDSA_521:
                "ECDSA"
            case GIT_CERT_SSH_RAW_TYPE_KEY_ED25519: "ED25519"
            default: "key"
            }
        let digest = withUnsafeBytes(of: key.hash_sha256) { Data($0) }
        return "\(name) SHA256:\(digest.base64EncodedString().trimmingCharacters(in: ["="]))"
    }
}
