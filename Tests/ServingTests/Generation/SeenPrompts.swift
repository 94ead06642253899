import Planning
import Synchronization

/// Collects the prompts that a scripted engine was asked.
final class SeenPrompts: Sendable {
    private let state = Mutex<[[Token]]>([])

    var prompts: [[Token]] { self.state.withLock { $0 } }

    func append(_ tokens: [Token]) {
        self.state.withLock { $0.append(tokens) }
    }
}
