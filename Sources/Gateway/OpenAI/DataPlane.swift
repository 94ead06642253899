internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
package import Planning
internal import Schema
package import Serving

/// What every route of the data plane works with.
package struct DataPlane: Sendable {
    package var service: any EndpointService
    /// The namespace of endpoints that are named without one.
    package var defaultNamespace: String
    /// The most bytes of any body; an endpoint may allow fewer.
    package var maxBodyBytes: Int
    package var identifiers: IdentifierSource
    package var clock: any WallClock
    /// What is written down of requests; nil: nothing is.
    package var records: (any RecordStore)?
    /// Martlet's own version, for those who ask.
    package var version: String

    package init(
        service: any EndpointService,
        defaultNamespace: String,
        maxBodyBytes: Int = 16 << 20,
        identifiers: @escaping IdentifierSource = { RequestIdentity.random() },
        clock: any WallClock,
        records: (any RecordStore)? = nil,
        version: String
    ) {
        self.service = service
        self.defaultNamespace = defaultNamespace
        self.maxBodyBytes = maxBodyBytes
        self.identifiers = identifiers
        self.clock = clock
        self.records = records
        self.version = version
    }

    /// Nobody has keys yet, so everybody is anonymous: endpoints decide whether they let such callers in.
    var caller: Caller { .anonymous }

    /// The endpoint that `model` names: `desk`, or `shop/desk` with `separator` `/`.
    func endpointName(_ model: String, separator: Character = "/") -> EndpointName? {
        let parts = model.split(separator: separator, omittingEmptySubsequences: false).map(String.init)
        guard !parts.contains("") else { return nil }
        switch parts.count {
        case 1: return EndpointName(namespace: self.defaultNamespace, name: parts[0])
        case 2: return EndpointName(namespace: parts[0], name: parts[1])
        default: return nil
        }
    }

    /// The endpoint as lists and answers name it.
    func modelName(of endpoint: EndpointName) -> String {
        endpoint.namespace == self.defaultNamespace ? endpoint.name : "\(endpoint.namespace)/\(endpoint.name)"
    }

    /// The listing of the endpoint that `model` names. Throws `model_not_found`, or `unavailable` when nothing serves.
    ///
    /// - Parameter index: the path that lists the endpoints, for a caller that names none of them.
    func listing(
        _ model: String,
        separator: Character = "/",
        index: String = "/v1/models"
    ) throws -> EndpointListing {
        guard let name = self.endpointName(model, separator: separator) else {
            throw OpenAIError.unknownModel(model, index: index)
        }
        do {
            return try self.service.listing(of: name, for: self.caller)
        } catch  where error.code == .endpointNotFound {
            throw OpenAIError.unknownModel(model, index: index)
        }
    }

    /// The endpoint that `model` names, if it takes a body of so many bytes.
    func endpoint(_ model: String, bodyBytes: Int) throws -> EndpointName {
        let listing = try self.listing(model)
        guard bodyBytes <= listing.maxBodyBytes else {
            throw BodyTooLarge(limit: Int(listing.maxBodyBytes))
        }
        return listing.name
    }

    func call<Body: Sendable>(_ endpoint: EndpointName, _ context: GatewayContext, _ body: Body) -> EndpointCall<Body> {
        EndpointCall(
            endpoint: endpoint,
            caller: self.caller,
            requestID: context.requestID,
            body: body,
            executor: context.executor
        )
    }

    /// A fresh heading for one answer.
    func heading(_ format: AnswerFormat, model: String, stamp: AnswerStamp) -> AnswerHeading {
        AnswerHeading(
            id: format.idPrefix + self.identifiers(),
            created: self.clock.now().milliseconds / 1000,
            model: model,
            fingerprint: "fp_\(stamp.revision)"
        )
    }
}

extension Response {
    /// Says which revision of which commit answered.
    mutating func stamp(_ stamp: AnswerStamp) {
        self.headers[.martletRevision] = stamp.revision.description
        self.headers[.martletCommit] = stamp.commit
        if stamp.replayed { self.headers[.martletReplayed] = "true" }
    }

    /// An answer of server-sent events.
    static func eventStream(
        _ write: @escaping @concurrent @Sendable (inout any ResponseBodyWriter) async throws -> Void
    ) -> Response {
        Response(
            status: .ok,
            headers: [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache"],
            body: ResponseBody(write)
        )
    }
}
