internal import Foundation

/// How many processes the kernel has ended for want of memory since the machine was booted.
///
/// A process that is ended so cannot leave a note; what it wrote down at its start tells its successor whether the
/// count has grown since.
struct MemoryKills: Sendable, Equatable {
    private var boot: String
    private var count: Int

    /// As the kernel counts now; nil where it does not tell.
    static func now() -> MemoryKills? {
        guard let boot = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8),
            let counters = try? String(contentsOfFile: "/proc/vmstat", encoding: .utf8),
            let line = counters.split(separator: "\n").first(where: { $0.hasPrefix("oom_kill ") }),
            let count = line.split(separator: " ").last.flatMap({ Int($0) })
        else { return nil }
        return MemoryKills(boot: boot.trimmingCharacters(in: .whitespacesAndNewlines), count: count)
    }

    /// As they were written down.
    static func read(from path: String) -> MemoryKills? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count == 2, let count = Int(words[1]) else { return nil }
        return MemoryKills(boot: String(words[0]), count: count)
    }

    func write(to path: String) throws {
        try Data("\(self.boot) \(self.count)\n".utf8).write(to: URL(filePath: path), options: .atomic)
    }

    /// Whether processes were ended so since `earlier`.
    func haveGrown(since earlier: MemoryKills?) -> Bool {
        guard let earlier, earlier.boot == self.boot else { return false }
        return self.count > earlier.count
    }
}
