internal import HTTPTypes
internal import Hummingbird
internal import Schema

/// What can be wrong with a request before any route looks at it: the same at every door, told in each one's form.
enum RequestRefusal: Hashable {
    case nothingThere(HTTPRequest.Method, path: String)
    case methodNotAllowed([HTTPRequest.Method])
    /// In bytes.
    case bodyTooLarge(limit: Int)
    case bodyEncoded(String)
    case bodyBrokenOff

    /// Nil for an error that comes from further inside.
    init?(_ error: any Error, to request: Request) {
        switch error {
        case let error as HTTPError where error.status == .notFound:
            self = .nothingThere(request.method, path: request.uri.path)
        default:
            self.init(error)
        }
    }

    /// Nil for an error that comes from further inside.
    init?(_ error: any Error) {
        switch error {
        case let error as MethodNotAllowed: self = .methodNotAllowed(error.allowed)
        case let error as BodyTooLarge: self = .bodyTooLarge(limit: error.limit)
        case let error as BodyEncoded: self = .bodyEncoded(error.coding)
        case is BodyBrokenOff: self = .bodyBrokenOff
        default: return nil
        }
    }

    var status: HTTPResponse.Status {
        switch self {
        case .nothingThere: .notFound
        case .methodNotAllowed: .methodNotAllowed
        case .bodyTooLarge: .contentTooLarge
        case .bodyEncoded: .unsupportedMediaType
        case .bodyBrokenOff: .badRequest
        }
    }

    /// A sentence for people.
    var message: String {
        switch self {
        case .nothingThere(let method, let path): "There is nothing at \(method.rawValue) \(path)."
        case .methodNotAllowed: "This path takes \(self.allowedMethods.joined(separator: ", ")) only."
        case .bodyTooLarge(let limit): "The request body has more than the \(limit) bytes that are allowed here."
        case .bodyEncoded(let coding):
            "The request body is coded as '\(coding.shortened)', which is not read here; send it as it is."
        case .bodyBrokenOff: "The request body broke off before its end."
        }
    }

    /// What the path does allow, for 405.
    var allowedMethods: [String] {
        switch self {
        case .methodNotAllowed(let allowed): allowed.map(\.rawValue)
        case .nothingThere, .bodyTooLarge, .bodyEncoded, .bodyBrokenOff: []
        }
    }
}
