internal import Foundation
internal import Glibc

/// Tells the next process how this one ended: a file is left behind by every end of the process's own making, such as
/// an engine that aborts, reads a bad address or exits, and by no end from outside, such as `kill -9` or a power cut.
///
/// A load that was cut short by a crash must not be repeated; one that was cut short from outside must.
enum CrashNote {
    private static let signals = [SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP]

    /// Where the note goes; nil: no note is made.
    nonisolated(unsafe) private static var path: UnsafeMutablePointer<CChar>?  // A handler can take no lock.

    /// Whether the process before this one left a note.
    static func exists(at path: String) -> Bool {
        access(path, F_OK) == 0
    }

    /// Takes the last process's note away, once what follows from it is written down: until then it must outlive every
    /// end of this process too.
    static func takeAway(at path: String) {
        unlink(path)
    }

    /// Leaves a note at `path`, should the process end before ``disarm()``.
    static func arm(at path: String) {
        CrashNote.path = strdup(path)
        for signal in CrashNote.signals {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { signal in
                CrashNote.write()
                // The default is in place again, and ends the process as if nobody had listened.
                raise(signal)
            }
            action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND)) | SA_NODEFER | SA_ONSTACK
            sigaction(signal, &action, nil)
        }
        atexit { CrashNote.write() }
    }

    /// The process ends as it should.
    static func disarm() {
        CrashNote.path = nil
    }

    /// Uses nothing that is forbidden in a signal handler.
    private static func write() {
        guard let path = CrashNote.path else { return }
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        if file >= 0 { close(file) }
    }
}
