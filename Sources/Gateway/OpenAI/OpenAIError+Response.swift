internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Schema
internal import Serving

extension OpenAIError {
    /// The error as a whole answer.
    var response: Response { self.response(of: self.body) }

    /// The error as a whole answer to a request for `path`, in the form of the protocol there.
    func response(at path: String) -> Response {
        self.response(of: path == "/v2" || path.hasPrefix("/v2/") ? self.inferenceBody : self.body)
    }

    private func response(of body: JSONValue) -> Response {
        var response = Response.json(body, status: HTTPResponse.Status(code: self.status))
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

/// Turns every error of the data plane into OpenAI's form, or into that of the Open Inference Protocol on its paths.
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
            return answer.response(at: request.uri.path)
        }
    }
}
