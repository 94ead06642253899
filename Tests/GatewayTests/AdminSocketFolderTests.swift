import Foundation
import Logging
import Planning
import Schema
import ServiceLifecycle
import TestSupport
import Testing

@testable import Gateway

/// The folder of the admin socket may go while the controller runs.
@Suite(.timeLimit(.minutes(1)))
struct AdminSocketFolderTests {
    @Test(
        "A folder that goes while the server runs does not end it: the socket is made again, or a shutdown comes first"
    )
    func removedFolder() async throws {
        let state = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        let folder = state + "/run"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: state) }
        let path = folder + "/admin.sock"
        let (started, start) = AsyncStream<Int?>.makeStream()
        let (failed, fail) = AsyncStream<Void>.makeStream()
        let log = LogRecorder(from: .error) { event in
            if event.message.description.hasPrefix("could not make the socket") { fail.yield() }
        }
        let server = GatewayServers(logger: log.logger).admin(
            AdminPlane(commands: FakeCommands(), owner: Planning.Actor("owner")),
            replacingSocketAt: path,
            onStarted: { start.yield($0) }
        )
        let group = ServiceGroup(configuration: .init(services: [server], logger: log.logger))
        async let running: Void = group.run()
        var (starts, failures) = (started.makeAsyncIterator(), failed.makeAsyncIterator())
        _ = await starts.next()

        try FileManager.default.removeItem(atPath: folder)
        _ = await starts.next()
        #expect(try FileManager.default.attributesOfItem(atPath: folder)[.posixPermissions] as? Int == 0o700)
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)

        // Its folder cannot be made where the one above is gone too.
        try FileManager.default.removeItem(atPath: state)
        _ = await failures.next()
        try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
        _ = await starts.next()
        #expect(FileManager.default.fileExists(atPath: path))

        try FileManager.default.removeItem(atPath: state)
        _ = await failures.next()
        await group.triggerGracefulShutdown()
        try await running
    }
}
