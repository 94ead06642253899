internal import Glibc
internal import Synchronization

/// Tells a thread that sleeps in `poll` to end; the pipe closes with the last reference.
final class StopSignal: Sendable {
    private let requested = Atomic(false)
    /// The end to poll, readable once a stop was asked for; -1 when the process is out of descriptors.
    let descriptor: Int32
    private let writeEnd: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        if pipe(&ends) == 0 {
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        }
        (self.descriptor, self.writeEnd) = (ends[0], ends[1])
    }

    deinit {
        for end in [self.descriptor, self.writeEnd] where end >= 0 { close(end) }
    }

    var isRequested: Bool {
        self.requested.load(ordering: .acquiring)
    }

    /// Asks for the stop. Without a pipe the thread sees it when it next wakes by itself.
    func request() {
        self.requested.store(true, ordering: .releasing)
        var byte: UInt8 = 1
        _ = write(self.writeEnd, &byte, 1)
    }
}
