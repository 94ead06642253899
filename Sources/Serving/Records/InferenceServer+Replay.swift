package import Planning
internal import Schema

extension InferenceServer: RequestReplayer {
    package func replay(_ record: RequestRecord, as id: String, on revision: String?) async throws {
        guard let input = record.input else {
            throw MartletError(
                "Conflict",
                "the record has no input: its endpoint's log keeps no payloads of such requests"
            )
        }
        do {
            try await self.repeat(record, input, as: id, on: revision)
        } catch let error as CallError where error.code == .endpointNotFound || error.code == .revisionNotFound {
            throw MartletError("NotFound", error.message)
        } catch is CallError {
            // It was routed, and its record says what became of it.
        }
    }

    private func `repeat`(
        _ record: RequestRecord,
        _ input: JSONValue,
        as id: String,
        on revision: String?
    ) async throws {
        switch record.operation {
        case .chain: _ = try await self.chain(record.call(input, as: id, on: revision)) { _ in }
        case .chat, .completion:
            let request = try TextRequest(recorded: input, record.parameters)
            _ = try await self.text(record.call(request, as: id, on: revision)) { _ in }
        case .embeddings:
            let texts = input.array?.compactMap(\.string) ?? []
            _ = try await self.embeddings(record.call(texts, as: id, on: revision))
        case .tensors:
            let request = try TensorRequest(recorded: input)
            _ = try await self.tensors(record.call(request, as: id, on: revision))
        }
    }
}

extension RequestRecord {
    /// The record's request, with this body.
    fileprivate func call<Body>(_ body: Body, as id: String, on revision: String?) -> EndpointCall<Body> {
        var call = EndpointCall(
            endpoint: EndpointName(namespace: self.variant.namespace, name: self.variant.endpoint),
            caller: self.tenant.map { .tenant($0) } ?? .anonymous,
            requestID: id,
            body: body,
            revision: revision
        )
        call.repeats = self
        return call
    }
}

extension EndpointSpec.Log {
    /// What is kept of a repeated request: all of it, since that is what it is repeated for.
    var ofRepetition: EndpointSpec.Log {
        var log = self
        (log.payloads, log.sample) = (.all, 1)
        return log
    }
}
