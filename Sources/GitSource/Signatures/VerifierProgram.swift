internal import Foundation
internal import Glibc
internal import Schema

/// One run of a standard program that checks a signature: a child with a deadline, and files of its own.
///
/// The program sees nothing of this process's environment but where programs are, so that no configuration of the user
/// has a say.
struct VerifierProgram {
    struct Outcome: Sendable {
        /// The exit status; nil when the program was ended by a signal.
        var status: Int32?
        var output: String
        var complaint: String
    }

    /// The most that is kept of what a program writes.
    private static let outputLimit = 1 << 16

    /// Where the program works, and the only home that it knows.
    let folder: String
    /// When a program that has not ended is killed, in milliseconds after its start.
    var deadline: Int64

    /// Runs a program to its end. Throws `SignatureUnchecked` when it cannot be started or does not end in time.
    func run(_ words: [String], input: String? = nil) throws -> Outcome {
        let output = try Self.pipe()
        let complaint: (read: Int32, write: Int32)
        do {
            complaint = try Self.pipe()
        } catch {
            close(output.read)
            close(output.write)
            throw error
        }
        defer {
            close(output.read)
            close(complaint.read)
        }
        let process: pid_t
        do {
            defer {
                close(output.write)
                close(complaint.write)
            }
            process = try self.spawn(words, input: input, output: output.write, complaint: complaint.write)
        }
        let end = Self.milliseconds() + self.deadline
        let texts = Self.read([output.read, complaint.read], until: end)
        let status = Self.wait(for: process, until: end)
        guard let texts, let status else {
            throw MartletError(
                "SignatureUnchecked",
                "'\(words[0])' did not end within \(self.deadline) ms; 'martlet sync' tries again",
                disposition: .retryable
            )
        }
        let isExit = status & 0x7F == 0
        return Outcome(status: isExit ? (status >> 8) & 0xFF : nil, output: texts[0], complaint: texts[1])
    }

    private func spawn(_ words: [String], input: String?, output: Int32, complaint: Int32) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, input ?? "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, complaint, 2)
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
        // Times in files of keys are read in the time zone of the program, so it must not depend on the machine.
        let environment = ["PATH=\(path)", "HOME=\(self.folder)", "GNUPGHOME=\(self.folder)", "LC_ALL=C", "TZ=UTC"]
        let program = words[0]
        var process: pid_t = 0
        let outcome = Self.withCStrings(words) { words in
            Self.withCStrings(environment) { posix_spawnp(&process, program, &actions, nil, words, $0) }
        }
        guard outcome == 0 else {
            throw MartletError(
                "SignatureUnchecked",
                "signatures cannot be checked: '\(program)' cannot be started: \(String(cString: strerror(outcome))); "
                    + "install the package that holds it, openssh-client or gpgv",
                disposition: .retryable
            )
        }
        return process
    }

    /// A connected pair of which neither end leaks into other children.
    private static func pipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw MartletError(
                "SignatureUnchecked",
                "no socket to check a signature: \(String(cString: strerror(errno)))",
                disposition: .retryable
            )
        }
        return (ends[0], ends[1])
    }

    /// What both streams hold until they end; nil when the time is over first.
    private static func read(_ streams: [Int32], until end: Int64) -> [String]? {
        var texts = streams.map { _ in [UInt8]() }
        var open = Set(streams.indices)
        var buffer = [UInt8](repeating: 0, count: 1 << 12)
        while !open.isEmpty {
            let left = end - Self.milliseconds()
            guard left > 0 else { return nil }
            let order = open.sorted()
            var waits = order.map { pollfd(fd: streams[$0], events: Int16(POLLIN), revents: 0) }
            guard poll(&waits, nfds_t(waits.count), Int32(left)) > 0 else { continue }
            for (index, wait) in zip(order, waits) where wait.revents != 0 {
                let count = Glibc.read(wait.fd, &buffer, buffer.count)
                if count > 0 {
                    texts[index] += buffer.prefix(min(count, max(Self.outputLimit - texts[index].count, 0)))
                } else if count == 0 || errno != EINTR {
                    open.remove(index)
                }
            }
        }
        return texts.map { String(decoding: $0, as: UTF8.self) }
    }

    /// The wait status of a child, which is killed when its time is over; then nil.
    private static func wait(for process: pid_t, until end: Int64) -> Int32? {
        var status: Int32 = 0
        while true {
            let outcome = waitpid(process, &status, WNOHANG)
            if outcome == process { return status }
            if outcome < 0, errno != EINTR { return nil }
            guard Self.milliseconds() < end else { break }
            // It has closed its streams and is about to end.
            usleep(500)
        }
        kill(process, SIGKILL)
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
        return nil
    }

    private static func milliseconds() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }

    private static func withCStrings<Result>(
        _ strings: [String],
        _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let pointers = strings.map { strdup($0) }
        defer { pointers.forEach { free($0) } }
        return body(pointers + [nil])
    }
}
