internal import Foundation
internal import Glibc
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// How a controller ends that is asked to.
    struct ShutdownTests {
        /// Until something else would have to cut it off, which says so.
        @Test func halfSentRequestDoesNotHoldUpTheEnd() async throws {
            let repository = try TemporaryRepository()
            try repository.commit("Nothing yet")
            let martlet = try await RunningMartlet.started(repository.path)
            let client = try Self.connect(to: martlet.data.address)
            defer { close(client) }
            // The second request has been begun by the time that the first is answered.
            let requests = """
                GET /v1/models HTTP/1.1\r
                Host: here\r
                \r
                POST /v1/completions HTTP/1.1\r
                Host: here\r
                Content-Length: 100\r
                \r
                {"model"
                """
            #expect(send(client, requests, requests.utf8.count, Int32(MSG_NOSIGNAL)) == requests.utf8.count)
            var byte: UInt8 = 0
            #expect(recv(client, &byte, 1, 0) == 1)
            #expect(await martlet.stop() == .exited(0), "\(martlet.log)")
            #expect(!martlet.log.contains("cut off"), "\(martlet.log)")
        }

        /// A connection to the data plane.
        private static func connect(to address: String) throws -> Int32 {
            let port = try #require(URL(string: address)?.port.flatMap { UInt16(exactly: $0) })
            let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            address.sin_port = port.bigEndian
            let isConnected = withUnsafePointer(to: address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.connect(client, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            try #require(isConnected)
            return client
        }
    }
}
