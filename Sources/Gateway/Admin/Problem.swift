internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import Schema

/// An error of the admin API, as RFC 9457 spells it.
struct Problem: Error, Sendable, Hashable {
    /// The HTTP status code.
    var status: Int
    /// A stable word for programs, in UpperCamelCase.
    var code: String
    /// A sentence for people that says what to do.
    var detail: String
    /// What the resource does allow, for 405.
    var allowedMethods: [String] = []

    init(status: Int, code: String, _ detail: String) {
        self.status = status
        self.code = code
        self.detail = detail
    }

    static func badRequest(_ detail: String) -> Problem {
        Problem(status: 400, code: "BadRequest", detail)
    }

    /// What any error behind the admin API means; whoever asks owns the controller and may see all of it.
    init(_ error: any Error) {
        switch error {
        case let error as Problem: self = error
        case let error as MartletError:
            let status =
                switch error.code {
                case "NotFound": 404
                case "Conflict": 409
                case "BadRequest": 400
                default: 500
                }
            self.init(status: status, code: error.code, error.description)
        default:
            if let refusal = RequestRefusal(error) {
                self.init(refusal)
            } else {
                self.init(status: 500, code: "InternalError", "\(error)")
            }
        }
    }

    init(_ refusal: RequestRefusal) {
        let code =
            switch refusal {
            case .nothingThere: "NotFound"
            case .methodNotAllowed: "MethodNotAllowed"
            case .bodyTooLarge: "BodyTooLarge"
            case .bodyEncoded: "BodyEncoded"
            case .bodyBrokenOff: "BodyBrokenOff"
            }
        self.init(status: refusal.status.code, code: code, refusal.message)
        self.allowedMethods = refusal.allowedMethods
    }

    /// The problem as a whole answer.
    var response: Response {
        let status = HTTPResponse.Status(code: self.status)
        let body: JSONValue = [
            "type": "about:blank",
            "title": .string(status.reasonPhrase),
            "status": .integer(Int64(self.status)),
            "detail": .string(self.detail),
            "code": .string(self.code),
        ]
        var response = Response.json(
            ByteBuffer(string: body.canonicalJSON),
            status: status,
            contentType: "application/problem+json"
        )
        if !self.allowedMethods.isEmpty { response.headers[.allow] = self.allowedMethods.joined(separator: ", ") }
        return response
    }
}

/// Turns every error of the admin API into a problem document.
struct ProblemMiddleware: RouterMiddleware {
    func handle(
        _ request: Request,
        context: GatewayContext,
        next: @concurrent (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            let problem = RequestRefusal(error, to: request).map { Problem($0) } ?? Problem(error)
            if problem.status >= 500 {
                context.logger.error(
                    "admin request failed",
                    metadata: ["request": "\(context.requestID)", "path": "\(request.uri.path)", "error": "\(error)"]
                )
            }
            return problem.response
        }
    }
}
