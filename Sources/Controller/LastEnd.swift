/// How the process before this one ended, as far as its loads under way are concerned.
package enum LastEnd: Sendable {
    /// By a crash of its own, for which the loads are to blame.
    case crashed
    /// From outside, while the kernel ended processes for want of memory: perhaps this one, because of its loads.
    case shortOfMemory
    /// In order, or from outside in another way, such as `kill -9` or a power cut: no load is to blame.
    case fromOutside
}
