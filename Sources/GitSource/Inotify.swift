internal import Glibc

/// The kernel's notices about folders; the descriptor closes with the last reference.
///
/// Where the system grants none, nothing is ever noticed and `descriptor` is -1, which `poll` ignores.
final class Inotify: Sendable {
    /// One notice: which watch it belongs to and the name of the entry within that folder.
    struct Event {
        var watch: Int32
        var name: String
        /// Notices were lost, so anything may have happened.
        var overflowed: Bool
    }

    let descriptor: Int32

    init() {
        self.descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
    }

    deinit {
        if self.descriptor >= 0 { close(self.descriptor) }
    }

    /// Watches a folder for entries that come, go or are written; one that is watched already keeps its number.
    @discardableResult
    func watch(folder: String) -> Int32 {
        let events = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE
        return inotify_add_watch(self.descriptor, folder, UInt32(events) | UInt32(IN_ONLYDIR))
    }

    /// Takes all notices that wait, without blocking.
    func drain() -> [Event] {
        var events: [Event] = []
        withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: MemoryLayout<inotify_event>.alignment) { buffer in
            while true {
                let count = read(self.descriptor, buffer.baseAddress, buffer.count)
                guard count > 0 else { return }
                Self.parse(UnsafeRawBufferPointer(rebasing: buffer[..<count]), into: &events)
            }
        }
        return events
    }

    private static func parse(_ bytes: UnsafeRawBufferPointer, into events: inout [Event]) {
        let headerSize = MemoryLayout<inotify_event>.size
        var offset = 0
        while offset + headerSize <= bytes.count {
            let header = bytes.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
            let name = bytes[(offset + headerSize)..<(offset + headerSize + Int(header.len))].prefix { $0 != 0 }
            events.append(
                Event(
                    watch: header.wd,
                    name: String(decoding: name, as: UTF8.self),
                    overflowed: header.mask & UInt32(IN_Q_OVERFLOW) != 0
                )
            )
            offset += headerSize + Int(header.len)
        }
    }
}
