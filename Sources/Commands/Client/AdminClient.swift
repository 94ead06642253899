internal import AsyncHTTPClient
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
package import Planning
package import Schema

/// Asks the admin API of a running controller over its Unix socket.
package struct AdminClient: Sendable {
    /// The largest answer that is read, in bytes.
    private static let answerLimit = 256 << 20
    /// How many elements of a list are asked for at once.
    private static let pageSize = 500

    /// Without a read time-out, since an event stream may be quiet for days, and without a second try where nobody
    /// listens. It lives as long as the process.
    private static let http: HTTPClient = {
        var configuration = HTTPClient.Configuration(timeout: .init(connect: .seconds(10)))
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    private let socketPath: String
    /// Who asks: the name of the account that runs the command.
    private let actor: String

    package init(socketPath: String, actor: String) {
        self.socketPath = socketPath
        self.actor = actor
    }

    /// `GET /api/v1/<path>`, decoded.
    package func get<Answer: Decodable>(_ path: String, as type: Answer.Type = Answer.self) async throws -> Answer {
        try AdminClient.decode(try await self.send(.GET, path, body: nil))
    }

    /// `GET /api/v1/<path>`, page by page: as many elements as asked for, or all of them, and whether there are more.
    package func pages<Element: Decodable>(
        _ path: String,
        _ query: [String],
        limit: Int?,
        of type: Element.Type = Element.self
    ) async throws -> (elements: [Element], isAll: Bool) {
        var elements: [Element] = []
        var token: String?
        repeat {
            let size = min(AdminClient.pageSize, limit.map { $0 - elements.count } ?? AdminClient.pageSize)
            guard size > 0 else { return (elements, false) }
            let parameters = query + ["limit=\(size)"] + (token.map { ["continue=\($0)"] } ?? [])
            let response = try await self.answer(.GET, "\(path)?" + parameters.joined(separator: "&"), body: nil)
            token = response.headers.first(name: "x-martlet-continue")
            elements += try AdminClient.decode(try await AdminClient.body(of: response)) as [Element]
        } while token != nil
        return (elements, true)
    }

    /// One resource with its spec. Throws `NotFound`.
    package func resource(_ identity: ResourceIdentity) async throws -> ResourceView {
        let path = [identity.kind.rawValue, identity.namespace, identity.name].map(AdminClient.escape)
        return try await self.get("resources/" + path.joined(separator: "/"))
    }

    /// `POST /api/v1/<path>`, decoded.
    package func post<Answer: Decodable>(
        _ path: String,
        _ body: some Encodable,
        as type: Answer.Type = Answer.self
    ) async throws -> Answer {
        try AdminClient.decode(try await self.send(.POST, path, body: try JSONEncoder().encode(body)))
    }

    /// `POST /api/v1/<path>`, for its effect.
    package func post(_ path: String, _ body: some Encodable) async throws {
        _ = try await self.send(.POST, path, body: try JSONEncoder().encode(body))
    }

    /// Follows the event stream until the caller is cancelled; throws `ControllerStopped` when the controller ends it.
    package func followEvents(
        after sequence: Int64?,
        resource: ResourceIdentity?,
        _ receive: (Event) async throws -> Void
    ) async throws {
        var query = ["follow=true"]
        if let sequence { query.append("after=\(sequence)") }
        if let resource { query.append("resource=\(AdminClient.escape(resource.description))") }
        var request = self.request(.GET, "events?" + query.joined(separator: "&"))
        request.headers.add(name: "accept", value: "text/event-stream")
        let response = try await self.execute(request, timeout: .hours(24 * 365))
        guard response.status == .ok else { throw try await AdminClient.problem(in: response) }
        var stream = EventStream()
        do {
            for try await chunk in response.body {
                for data in stream.append(chunk.readableBytesView) {
                    try await receive(try AdminClient.decode(Data(data)))
                }
            }
        } catch let error as HTTPClientError {
            throw self.stopped(cause: error)
        }
        throw self.stopped(cause: nil)
    }

    private func stopped(cause: (any Error)?) -> MartletError {
        MartletError("ControllerStopped", "the controller at \(self.socketPath) stopped", cause: cause)
    }

    private func send(_ method: HTTPMethod, _ path: String, body: Data?) async throws -> Data {
        try await AdminClient.body(of: try await self.answer(method, path, body: body))
    }

    private func answer(_ method: HTTPMethod, _ path: String, body: Data?) async throws -> HTTPClientResponse {
        var request = self.request(method, path)
        if let body {
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: body))
        }
        let response = try await self.execute(request, timeout: .seconds(120))
        guard (200..<300).contains(response.status.code) else { throw try await AdminClient.problem(in: response) }
        return response
    }

    private static func body(of response: HTTPClientResponse) async throws -> Data {
        Data((try await response.body.collect(upTo: AdminClient.answerLimit)).readableBytesView)
    }

    private func request(_ method: HTTPMethod, _ path: String) -> HTTPClientRequest {
        var request = HTTPClientRequest(
            url: "http+unix://\(AdminClient.escape(self.socketPath))/api/v1/\(path)"
        )
        request.method = method
        request.headers.add(name: "x-martlet-actor", value: self.actor)
        return request
    }

    private func execute(_ request: HTTPClientRequest, timeout: TimeAmount) async throws -> HTTPClientResponse {
        do {
            return try await AdminClient.http.execute(request, timeout: timeout)
        } catch let error as IOError where error.errnoCode == ECONNREFUSED {
            throw MartletError(
                "ControllerUnreachable",
                "the controller that listened at \(self.socketPath) is gone; start it again with 'martlet run', or name "
                    + "another state directory with --state-dir or MARTLET_STATE_DIR",
                disposition: .retryable
            )
        } catch {
            throw MartletError(
                "ControllerUnreachable",
                "no controller answers at \(self.socketPath); start one with 'martlet run', or name its state "
                    + "directory with --state-dir or MARTLET_STATE_DIR",
                disposition: .retryable,
                // That no socket is there needs no reason; that one cannot be used does.
                cause: FileManager.default.fileExists(atPath: self.socketPath) ? error : nil
            )
        }
    }

    /// Reads RFC 9457 problem details.
    private static func problem(in response: HTTPClientResponse) async throws -> MartletError {
        struct Problem: Decodable {
            var detail: String?
            var title: String?
            var code: String?
        }
        let problem = try? JSONDecoder().decode(Problem.self, from: try await AdminClient.body(of: response))
        let status = response.status.code
        return MartletError(
            problem?.code ?? "HTTP\(status)",
            problem?.detail ?? problem?.title ?? "the controller answered with status \(status)"
        )
    }

    private static func decode<Answer: Decodable>(_ body: Data) throws -> Answer {
        do {
            return try JSONDecoder().decode(Answer.self, from: body)
        } catch {
            throw MartletError(
                "AnswerUnreadable",
                "the controller's answer cannot be read; is it of another version than this command?",
                cause: error
            )
        }
    }

    /// A text as part of a path or a query.
    static func escape(_ text: String) -> String {
        let plain = CharacterSet(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
        return text.addingPercentEncoding(withAllowedCharacters: plain) ?? text
    }
}
