internal import Foundation
internal import Glibc

/// Notices when the refs of one repository move.
///
/// The kernel's notices make it prompt, and a look at the files each second makes it sure: where notices are lost or
/// never come (network file systems, a repository that was removed and made again), the files still tell.
struct RefWatcher: Sendable {
    /// How long to sleep, in milliseconds, before looking without having been woken.
    private static let interval: Int32 = 1_000

    /// Where this work tree's HEAD is; ends in `/`.
    private let gitDirectory: String
    /// Where the refs are; ends in `/`.
    private let commonDirectory: String
    private let inotify = Inotify()
    /// The watches of the two folders above, in which few names matter.
    private var topWatches: Set<Int32> = []
    private var fingerprint: RefFingerprint?

    /// Starts to watch: whatever moves from now on is noticed.
    init(gitDirectory: String, commonDirectory: String) {
        self.gitDirectory = gitDirectory
        self.commonDirectory = commonDirectory
        _ = self.look()
    }

    /// Watches on the calling thread until it is told to stop, and reports each time that a ref may have moved.
    mutating func run(until stop: StopSignal, report: () -> Void) {
        while !stop.isRequested {
            self.sleep(stop)
            let noticed = self.inotify.drain().contains { self.concernsRefs($0) }
            // Reported before the look, which would only delay it; the look also watches folders that are new.
            if noticed { report() }
            if self.look() && !noticed { report() }
        }
    }

    /// Returns when a notice arrives, when the stop is asked for, or after the interval.
    private func sleep(_ stop: StopSignal) {
        var descriptors = [
            pollfd(fd: self.inotify.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: stop.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        _ = poll(&descriptors, nfds_t(descriptors.count), Self.interval)
    }

    /// Lock files come and go with every change, and the index is no ref.
    private func concernsRefs(_ event: Inotify.Event) -> Bool {
        if event.overflowed { return true }
        if self.topWatches.contains(event.watch) { return ["HEAD", "packed-refs", "refs"].contains(event.name) }
        return !event.name.isEmpty && !event.name.hasSuffix(".lock")
    }

    /// Looks at the files, watches every folder that is not watched yet, and says whether something changed.
    ///
    /// Folders are watched before they are read, so that nothing falls between the two.
    private mutating func look() -> Bool {
        let inotify = self.inotify
        self.topWatches = Set([self.gitDirectory, self.commonDirectory].map { inotify.watch(folder: $0) })
        let present = RefFingerprint(gitDirectory: self.gitDirectory, commonDirectory: self.commonDirectory) { folder in
            inotify.watch(folder: folder)
        }
        defer { self.fingerprint = present }
        return present != self.fingerprint
    }
}
