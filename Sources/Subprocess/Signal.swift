internal import Glibc

/// Names of signals, for people.
enum Signal {
    /// `SIGABRT (aborted)` and the like.
    static func name(_ number: Int32) -> String {
        switch number {
        case SIGABRT: "SIGABRT (aborted)"
        case SIGSEGV: "SIGSEGV (invalid memory access)"
        case SIGBUS: "SIGBUS (invalid memory access)"
        case SIGFPE: "SIGFPE (arithmetic fault)"
        case SIGILL: "SIGILL (instruction that this CPU lacks)"
        case SIGTRAP: "SIGTRAP (trap)"
        case SIGKILL: "SIGKILL (killed, perhaps for lack of memory)"
        case SIGTERM: "SIGTERM (terminated)"
        case SIGXCPU: "SIGXCPU (too much CPU time)"
        case SIGALRM: "SIGALRM (too much time)"
        default: "signal \(number)"
        }
    }
}
