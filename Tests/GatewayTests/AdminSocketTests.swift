import Foundation
import HTTPTypes
import HummingbirdTesting
import Logging
import Planning
import Schema
import ServiceLifecycle
import TestSupport
import Testing

@testable import Gateway

@Suite("Admin socket", .timeLimit(.minutes(1)))
struct AdminSocketTests {
    private func server(_ path: String, _ commands: FakeCommands, _ started: @escaping GatewayServer.Started)
        -> ServiceGroup
    {
        let logger = Logger(label: "test")
        let server = GatewayServers(logger: logger).admin(
            AdminPlane(commands: commands, owner: Planning.Actor("owner")),
            replacingSocketAt: path,
            onStarted: started
        )
        return ServiceGroup(configuration: .init(services: [server], logger: logger))
    }

    @Test("The socket is its owner's alone, replaces a dead one, and goes when the server goes")
    func socketFile() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/admin.sock"
        for _ in 0..<2 {
            let (started, start) = AsyncStream<Int?>.makeStream()
            let group = self.server(path, FakeCommands()) { start.yield($0) }
            async let running: Void = group.run()
            _ = await started.first { _ in true }
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            #expect(attributes[.type] as? FileAttributeType == .typeSocket)
            await group.triggerGracefulShutdown()
            try await running
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test("A path that no socket can have is refused with what to do")
    func longPath() async throws {
        let group = self.server("/tmp/" + String(repeating: "a", count: 103), FakeCommands()) { _ in }
        let error = await #expect(throws: MartletError.self) { try await group.run() }
        #expect(error?.code == "SocketPathTooLong")
        #expect(error?.message.contains("107") == true)
    }

    @Test("What stands in the place of the socket is named, and stays", arguments: [false, true])
    func placeTaken(byFolder: Bool) async throws {
        let folder = try TemporaryFolder()
        let path = folder.file("admin.sock")
        if byFolder {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        } else {
            try folder.write("admin.sock", Array("of somebody".utf8))
        }
        let group = self.server(path, FakeCommands()) { _ in }
        let error = await #expect(throws: MartletError.self) { try await group.run() }
        #expect(error?.code == "CannotListen")
        #expect(error?.message.hasPrefix("cannot listen on \(path): ") == true, "\(error as Any)")
        #expect(FileManager.default.fileExists(atPath: path))
    }

    @Test("A folder of the socket that is not there is named, with what to do")
    func noFolder() async throws {
        let path = try TemporaryFolder().file("none/admin.sock")
        let group = self.server(path, FakeCommands()) { _ in }
        let error = await #expect(throws: MartletError.self) { try await group.run() }
        #expect(error?.code == "CannotListen")
        #expect(error?.message.contains("\(path): No such file or directory; ") == true, "\(error as Any)")
        #expect(error?.message.contains("--state-dir") == true)
    }

    @Test("A client that follows events does not hold up a shutdown")
    func shutdownWhileFollowing() async throws {
        let (live, _) = AsyncStream<Event>.makeStream()
        let (asked, ask) = AsyncStream<Void>.makeStream()
        let plane = AdminPlane(
            commands: FakeCommands(live: live, onAsked: { ask.yield() }),
            owner: Planning.Actor("owner")
        )
        let (started, start) = AsyncStream<Int>.makeStream()
        let logger = Logger(label: "test")
        let server = GatewayServer(
            plane.makeRouter(),
            at: .tcp(host: "127.0.0.1", port: 0),
            logger: logger,
            onStarted: { start.yield($0 ?? 0) }
        )
        let group = ServiceGroup(configuration: .init(services: [server], logger: logger))
        async let running: Void = group.run()
        let client = TestClient(host: "127.0.0.1", port: try #require(await started.first { _ in true }))
        client.connect()
        async let response = client.execute(
            TestClient.Request("/api/v1/events?follow=true", method: .get, authority: "localhost")
        )
        await asked.first { _ in true }
        await group.triggerGracefulShutdown()
        try await running
        #expect(try await response.status == .ok)
        try await client.shutdown()
    }
}
