internal import Synchronization

/// Something that has happened or not, for many tasks to look at.
final class Latch: Sendable {
    private let state = Atomic(false)

    var isOpen: Bool { self.state.load(ordering: .acquiring) }

    func open() { self.state.store(true, ordering: .releasing) }
}
