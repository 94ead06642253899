internal import Glibc
internal import Schema

/// An exclusive lock on a file that holds the owner's process id and host; gone when this value or its process is.
final class FileLock: Sendable {
    private let descriptor: Int32

    /// Throws `StateDirectoryInUse` when somebody else has the lock, `StateDirectoryNotWritable` without a file.
    init(path: String) throws {
        // Children must not inherit the descriptor: the lock would live on in them.
        self.descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard self.descriptor >= 0 else {
            throw MartletError(
                "StateDirectoryNotWritable",
                "the lock '\(path)' cannot be opened: \(String(cString: strerror(errno))); choose another --state-dir"
            )
        }
        guard Self.lock(self.descriptor) else {
            let error = errno
            let owner = Self.owner(in: self.descriptor)
            throw Self.refusal(path, error: error, owner: owner)
        }
        self.leaveProcessID()
    }

    /// A process that is just being started has a copy of its parent's descriptors, until it is the program that it is
    /// to be: so a lock that was given back may stay taken for a moment, and is asked for again for a second.
    private static func lock(_ descriptor: Int32) -> Bool {
        for _ in 0..<100 {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
            guard errno == EWOULDBLOCK else { return false }
            usleep(10_000)
        }
        return flock(descriptor, LOCK_EX | LOCK_NB) == 0
    }

    deinit {
        if self.descriptor >= 0 { close(self.descriptor) }
    }

    private func leaveProcessID() {
        // They only make a better message; the lock holds without it.
        let text = Array("\(getpid()) on \(Self.host())\n".utf8)
        guard ftruncate(self.descriptor, 0) == 0 else { return }
        _ = pwrite(self.descriptor, text, text.count, 0)
    }

    /// A state directory on a shared disk may be held from elsewhere.
    private static func host() -> String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "this machine" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// `4711 on build-7`; nil when nobody has left that.
    private static func owner(in descriptor: Int32) -> String? {
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        let line = bytes.prefix(max(0, count)).prefix { (0x20...0x7E).contains($0) }
        guard let first = line.first, (0x30...0x39).contains(first) else { return nil }
        return String(decoding: line, as: UTF8.self)
    }

    private static func refusal(_ path: String, error: Int32, owner: String?) -> MartletError {
        guard error == EWOULDBLOCK else {
            return MartletError(
                "StateDirectoryNotWritable",
                "'\(path)' cannot be locked: \(String(cString: strerror(error))); choose a --state-dir on a local disk"
            )
        }
        let who = owner.map { "process \($0)" } ?? "another process"
        return MartletError(
            "StateDirectoryInUse",
            "the state directory is in use by \(who), which holds '\(path)': stop that controller, or give this one a "
                + "--state-dir of its own"
        )
    }
}
