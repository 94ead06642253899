internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Schema
internal import Serving

extension OpenAIError {
    /// The error as a whole answer.
    var response: Response {
        var response = Response.json(self.body, status: HTTPResponse.Status(code: self.status))
        if let retryAfter { response.headers[.retryAfter] = String(retryAfter) }
        if !self.allowedMethods.isEmpty {
            response.headers[.allow] = self.allowedMethods.joined(separator: ", ")
        }
        return response
    }
}

extension Response {
    /// A JSON answer in canonical form.
    static func json(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> Response {
        .json(ByteBuffer(string: value.canonicalJSON), status: status)
    }

    /// A JSON answer that is already text.
    static func json(
        _ text: ByteBuffer,
        status: HTTPResponse.Status = .ok,
        contentType: String = "application/json"
    ) -> Response {
        Response(status: status, headers: [.contentType: contentType], body: ResponseBody(byteBuffer: text))
    }
}

/// Turns every error of the data plane into OpenAI's form.
struct OpenAIErrorMiddleware: RouterMiddleware {
    func handle(
        _ request: Request,
        context: GatewayContext,
        next: @concurrent (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            let answer = RequestRefusal(error, to: request).map { OpenAIError($0) } ?? OpenAIError(error)
            FailureLog(context).note(error, toldAs: answer)
            return answer.response
        }
    }
}
