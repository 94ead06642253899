internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Planning
internal import Schema
internal import Serving

/// The Open Inference Protocol V2 for one endpoint: what it is, whether it is ready, and tensors from it.
struct InferenceRoutes: Sendable {
    /// An endpoint as a path names it, and a version of it where the path does.
    static let paths = ["/v2/models/{model}", "/v2/models/{model}/versions/{version}"]

    let plane: DataPlane

    func register(on router: Router<GatewayContext>) {
        for path in Self.paths {
            router.get(RouterPath(path)) { _, context in try await self.metadata(context) }
            router.get(RouterPath("\(path)/ready")) { _, context in try await self.readiness(context) }
            router.post(RouterPath("\(path)/infer")) { request, context in try await self.infer(request, context) }
            router.refuseOtherMethods(RouterPath(path), allowed: [.get])
            router.refuseOtherMethods(RouterPath("\(path)/ready"), allowed: [.get])
            router.refuseOtherMethods(RouterPath("\(path)/infer"), allowed: [.post])
        }
    }

    private func infer(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let target = try self.plane.target(context)
        let body = try await request.bodyBytes(upTo: target.maxBodyBytes)
        let call = try InferCall(body, headerLength: Self.headerLength(request, of: body))
        try call.requireModel(target.model)
        let answer = try await self.plane.service.tensors(self.plane.call(target, context, call.tensors))
        let encoded = try await context.encode(answer.outputs.reduce(0) { $0 + $1.bytes.count }) {
            try InferAnswer(
                answer.outputs,
                to: call,
                model: target.model,
                version: answer.stamp.revision.description
            )
        }
        var response = Response.json(
            encoded.body,
            contentType: encoded.headerLength == nil ? "application/json" : "application/octet-stream"
        )
        if let headerLength = encoded.headerLength {
            response.headers[.inferenceHeaderContentLength] = String(headerLength)
        }
        response.stamp(answer.stamp)
        return response
    }

    /// How many bytes of the body are JSON, where the request says that binary data follows these.
    private static func headerLength(_ request: Request, of body: [UInt8]) throws -> Int? {
        guard let text = request.headers[.inferenceHeaderContentLength] else { return nil }
        guard let length = Int(text), length >= 1, length <= body.count else {
            throw OpenAIError.invalid(
                "The header Inference-Header-Content-Length must be the length of the JSON in bytes, from 1 to the "
                    + "\(body.count) of the body, not '\(text.shortened)'.",
                parameter: "Inference-Header-Content-Length"
            )
        }
        return length
    }

    private func metadata(_ context: GatewayContext) async throws -> Response {
        let target = try self.plane.target(context)
        let metadata = try await self.plane.service.metadata(
            of: target.endpoint,
            revision: target.version,
            for: self.plane.caller
        )
        var response = Response.json([
            "name": .string(target.model),
            "versions": .array(metadata.versions.map { .string($0.description) }),
            "platform": .string(metadata.engine),
            "inputs": .array(metadata.inputs.map(\.json)),
            "outputs": .array(metadata.outputs.map(\.json)),
        ])
        response.headers[.martletRevision] = metadata.revision.description
        return response
    }

    private func readiness(_ context: GatewayContext) async throws -> Response {
        let model = try context.parameters.require("model")
        do {
            let target = try self.plane.target(context)
            if let version = target.version {
                _ = try await self.plane.service.metadata(
                    of: target.endpoint,
                    revision: version,
                    for: self.plane.caller
                )
            }
            return HealthAnswer(isReady: true, model: model).response
        } catch let error as CallError where error.code == .unavailable {
            return HealthAnswer(isReady: false, reason: error.message, model: model).response
        }
    }
}

/// What a path names: an endpoint, and perhaps a version of it.
struct InferenceTarget: Sendable {
    var endpoint: EndpointName
    /// As the caller wrote it.
    var model: String
    var version: String?
    /// The most bytes that a body may have.
    var maxBodyBytes: Int
}

extension DataPlane {
    /// The endpoint that a path names. Throws `model_not_found`, or `unavailable` when nothing serves.
    func target(_ context: GatewayContext) throws -> InferenceTarget {
        let model = try context.parameters.require("model")
        let listing = try self.listing(model, separator: ".", index: "/v2/repository/index")
        return InferenceTarget(
            endpoint: listing.name,
            model: model,
            version: context.parameters.get("version"),
            maxBodyBytes: min(self.maxBodyBytes, Int(listing.maxBodyBytes))
        )
    }

    func call<Body: Sendable>(
        _ target: InferenceTarget,
        _ context: GatewayContext,
        _ body: Body
    ) -> EndpointCall<Body> {
        var call = self.call(target.endpoint, context, body)
        call.revision = target.version
        return call
    }
}

extension InferCall {
    /// What the endpoint is asked.
    var tensors: TensorRequest {
        TensorRequest(
            inputs: self.inputs,
            outputs: self.outputs,
            priority: self.priority > 1 ? .background : .normal,
            timeout: self.timeout
        )
    }
}

extension ModelMetadata {
    /// What an endpoint takes; one that writes text takes it from `generate`.
    fileprivate var inputs: [TensorDescription] {
        let text = TensorDescription(name: "text_input", datatype: .bytes, shape: [1])
        return self.tensors?.inputs ?? (self.generates ? [text] : [])
    }

    /// What an endpoint gives.
    fileprivate var outputs: [TensorDescription] {
        let text = TensorDescription(name: "text_output", datatype: .bytes, shape: [1])
        return self.tensors?.outputs ?? (self.generates ? [text] : [])
    }
}

extension TensorDescription {
    /// The protocol has no word for a shape with any number of sizes; one open size comes nearest.
    fileprivate var json: JSONValue {
        [
            "name": .string(self.name),
            "datatype": .string(self.datatype.rawValue),
            "shape": .array((self.shape ?? [-1]).map { .integer(Int64($0)) }),
        ]
    }
}
