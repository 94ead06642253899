internal import Planning
internal import Schema
internal import TestSupport

@testable internal import Engines

/// Models behind scripted servers.
enum Upstreams {
    /// A model behind servers at these addresses.
    static func model(
        _ urls: [String],
        balance: ModelSpec.Balance = .order,
        key: String? = nil,
        timeout: ManifestDuration = .seconds(20),
        firstByteTimeout: ManifestDuration? = nil,
        retries: Int = 0
    ) throws -> any CompletionModel {
        let members = urls.map { url in
            UpstreamSet.Member(
                url: url,
                model: "there",
                apiKey: key.map { _ in SecretReference(fromEnv: "KEY") },
                timeout: timeout,
                firstByteTimeout: firstByteTimeout,
                retries: retries
            )
        }
        let engine = UpstreamEngine(.openAI, probeTimeout: .seconds(100)) { _ in Array((key ?? "").utf8) }
        let opening = ModelOpening(file: "", upstreams: UpstreamSet(balance: balance, members: members))
        guard case .completion(let model) = try engine.open(opening) else {
            throw MartletError("NoCompletion", "the engine opened something else")
        }
        return model
    }

    static let hello = CompletionRequest(prompt: .chat([ChatMessage(role: "user", content: "Hello \"you\"")]))

    /// The same, whole.
    static var wholeHello: CompletionRequest {
        var request = Self.hello
        request.streams = false
        return request
    }

    static let wholeAnswer = """
        {"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"Good day."},\
        "finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8}}
        """

    /// What a call gives, or the failure that it ends with.
    static func events(
        _ model: any CompletionModel,
        _ request: CompletionRequest
    ) async -> (events: [CompletionEvent], failure: UpstreamFailure?) {
        var events: [CompletionEvent] = []
        do {
            for try await event in try await model.complete(request) { events.append(event) }
            return (events, nil)
        } catch let failure as UpstreamFailure {
            return (events, failure)
        } catch {
            return (events, UpstreamFailure(.misconfigured, "not an upstream's failure: \(error)"))
        }
    }
}
