internal import CSandbox
internal import Glibc

/// Where and how a program runs that is not trusted.
package struct Sandbox: Sendable, Hashable {
    /// What a child may use.
    package struct Limits: Sendable, Hashable {
        /// Virtual memory of each of its processes, in bytes.
        package var memory: Int64
        /// Processors at once.
        package var processors: Int
        /// Processes and threads together.
        package var processes = 256
        /// Bytes of its own /tmp, and of any file.
        package var scratch: Int64 = 64 << 20
        package var openFiles = 256

        package init(memory: Int64, processors: Int) {
            self.memory = memory
            self.processors = processors
        }
    }

    /// Folders of the host that programs see, besides their own files.
    package static let systemFolders = [
        "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc/alternatives", "/etc/ld.so.cache",
        "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/etc/python3", "/etc/python3.11", "/etc/ssl/certs",
        "/etc/mime.types", "/nix/store", "/gnu/store",
    ]

    /// Where a program is looked for that is named without a slash.
    static let searchPath = ["/usr/local/bin", "/usr/bin", "/bin"]

    /// An empty folder that each child's root is built upon; nil: children run without a sandbox.
    package var root: String?
    /// Folders and files of the host that children see, which they cannot change.
    package var readable: [String]
    package var limits: Limits

    package init(root: String?, readable: [String] = systemFolders, limits: Limits) {
        self.root = root
        self.readable = readable
        self.limits = limits
    }

    /// All that a child's environment has. What it prints is not held back, since somebody waits for each line.
    static let environment = [
        "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1",
    ]

    /// Why a program could not be started.
    package struct NotStarted: Error, CustomStringConvertible {
        package var description: String
        /// Whether the machine does not allow sandboxes, whichever program is asked for.
        package var isForbidden: Bool
    }

    /// Starts a program in a folder, which it sees as `/program`. The child is killed when the calling thread ends.
    ///
    /// Throws ``NotStarted``.
    func start(_ words: [String], in folder: String, streams: (Int32, Int32, Int32)) throws(NotStarted) -> pid_t {
        let texts = CTexts([words, Self.environment, Self.searchPath, self.readable])
        defer { texts.free() }
        let (root, program) = (self.root.flatMap { strdup($0) }, strdup(folder))
        let scratch = strdup("size=\(self.limits.scratch),mode=1777")
        let start = strdup(self.root == nil ? folder : "/program")
        defer { for text in [root, program, scratch, start] { Glibc.free(text) } }
        var plan = sandbox_plan()
        (plan.arguments, plan.environment) = (UnsafePointer(texts.lists[0]), UnsafePointer(texts.lists[1]))
        (plan.search, plan.readable) = (UnsafePointer(texts.lists[2]), UnsafePointer(texts.lists[3]))
        plan.streams = streams
        (plan.root, plan.program) = (UnsafePointer(root), UnsafePointer(program))
        (plan.scratch, plan.folder) = (UnsafePointer(scratch), UnsafePointer(start))
        plan.user = SandboxUsers.next()
        plan.address_space = UInt64(self.limits.memory)
        plan.file_size = UInt64(self.limits.scratch)
        plan.processes = UInt64(self.limits.processes)
        plan.open_files = UInt64(self.limits.openFiles)
        plan.processors = UInt32(max(self.limits.processors, 1))
        // Anywhere, so that children spread.
        plan.first_processor = UInt32.random(in: 0..<4096)
        var outcome = sandbox_start(&plan)
        // A child that is being born elsewhere holds a copy of the descriptor that the file was just written by, until it
        // has become its own program.
        for _ in 0..<200 where outcome.stage == SANDBOX_EXECUTE && outcome.error == ETXTBSY {
            usleep(10_000)
            outcome = sandbox_start(&plan)
        }
        guard outcome.stage == SANDBOX_STARTED else { throw self.failure(outcome, words) }
        return outcome.process
    }

    /// Why no program can be run like this; nil when one can. Blocks for as long as a child takes to start and end.
    package func obstacle() -> NotStarted? {
        var ends: [Int32] = [-1, -1]
        guard sandbox_pipe(&ends) == 0 else { return nil }
        defer { for end in ends { close(end) } }
        do {
            let process = try self.start(["true"], in: "/usr", streams: (ends[0], ends[1], ends[1]))
            while waitpid(process, nil, 0) < 0 && errno == EINTR {}
            return nil
        } catch {
            return error
        }
    }

    private func failure(_ outcome: sandbox_outcome, _ words: [String]) -> NotStarted {
        let reason = String(cString: strerror(outcome.error))
        switch outcome.stage {
        case SANDBOX_EXECUTE:
            let hint =
                outcome.error == ENOENT
                ? "; commands without a slash are looked for in \(Self.searchPath.joined(separator: ", "))" : ""
            return NotStarted(
                description: "'\(words.first ?? "")' cannot be executed: \(reason)\(hint)",
                isForbidden: false
            )
        case SANDBOX_FOLDER, SANDBOX_STREAMS, SANDBOX_LIMITS:
            return NotStarted(description: "a child cannot be set up: \(reason)", isForbidden: false)
        case SANDBOX_CLONE where outcome.error == EAGAIN || outcome.error == ENOMEM:
            return NotStarted(description: "no child can be started now: \(reason)", isForbidden: false)
        default:
            return NotStarted(
                description: "this machine does not let programs be shut in (\(Self.words(outcome.stage)): \(reason))",
                isForbidden: true
            )
        }
    }

    private static func words(_ stage: sandbox_stage) -> String {
        switch stage {
        case SANDBOX_CLONE: "namespaces"
        case SANDBOX_IDENTITY: "the user"
        case SANDBOX_MOUNT, SANDBOX_PIVOT: "the root"
        case SANDBOX_READABLE: "read-only folders"
        case SANDBOX_DEVICES: "devices"
        default: "the start"
        }
    }
}

/// Lists of texts as C wants them.
private struct CTexts {
    let lists: [UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>]
    private let counts: [Int]

    init(_ lists: [[String]]) {
        self.counts = lists.map(\.count)
        self.lists = lists.map { texts in
            let list = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: texts.count + 1)
            for (index, text) in texts.enumerated() { list[index] = strdup(text) }
            list[texts.count] = nil
            return list
        }
    }

    func free() {
        for (list, count) in zip(self.lists, self.counts) {
            for index in 0..<count { Glibc.free(list[index]) }
            list.deallocate()
        }
    }
}

/// Names for children of the superuser, from the range that is set aside for users that come and go. Processes are
/// counted by user, so that no child can use up another one's share.
private enum SandboxUsers {
    static func next() -> UInt32 { UInt32.random(in: 61_184...65_519) }
}
