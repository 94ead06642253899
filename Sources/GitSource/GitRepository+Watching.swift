internal import Foundation
internal import Planning

extension GitRepository {
    package func refChanges() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let watcher = RefWatcher(gitDirectory: self.gitDirectory, commonDirectory: self.commonDirectory)
        let stop = StopSignal()
        continuation.onTermination = { _ in stop.request() }
        // A thread of its own, because it sleeps in `poll`, which would block one of the few that tasks run on.
        Thread.detachNewThread {
            var watcher = watcher
            watcher.run(until: stop) { continuation.yield() }
        }
        return stream
    }
}
