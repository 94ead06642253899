import Logging
import Planning
import Schema
import TestSupport
import Testing

@testable import Serving

/// What callers hear of servers elsewhere that fail, and what the operator does.
struct UpstreamErrorTests {
    private static let words = "http://10.0.0.7:8000/v1 answered 401: Incorrect API key for org-42"

    @Test(
        "Callers hear in general words that a server elsewhere is at fault",
        arguments: [
            (.unavailable, .unavailable), (.timedOut, .timeout), (.rateLimited, .rateLimited),
            (.exhausted, .quotaExceeded), (.misconfigured, .failed),
        ] as [(UpstreamFailure.Kind, CallError.Code)]
    )
    func general(kind: UpstreamFailure.Kind, code: CallError.Code) {
        let error = CallError(mapping: UpstreamFailure(kind, Self.words, retryAfter: 7))
        #expect(error.code == code)
        #expect(error.retryAfter == 7)
        #expect(error.message.contains("x-request-id"))
        #expect(!error.message.contains("10.0.0.7") && !error.message.contains("API key"))
        #expect(error.detail == Self.words)
    }

    @Test("What is wrong with the caller's own request is told", arguments: [UpstreamFailure.Kind.rejected, .tooLong])
    func own(kind: UpstreamFailure.Kind) {
        let error = CallError(mapping: UpstreamFailure(kind, "'n' is too high", parameter: "n"))
        #expect(error.message == "'n' is too high")
        #expect(error.parameter == "n")
        #expect(error.detail == nil)
    }

    @Test(
        "Why a model could not be opened is told in general words, too",
        arguments: [
            MartletError("UpstreamUnavailable", words), MartletError("SecretMissing", words),
            MartletError("ModelNotLoaded", words, cause: MartletError("UpstreamUnavailable", words)),
            MartletError("WarmUpFailed", words, cause: UpstreamFailure(.misconfigured, words)),
        ]
    )
    func opening(error: MartletError) {
        let told = CallError(mapping: error)
        #expect(told.code == .unavailable)
        #expect(!told.message.contains("10.0.0.7"))
        #expect(told.detail?.contains("10.0.0.7") == true)
    }

    @Test("The log names the request, and says all", arguments: [UpstreamFailure.Kind.misconfigured, .exhausted])
    func log(kind: UpstreamFailure.Kind) async throws {
        let log = LogRecorder(from: .warning)
        let model = ScriptedCompletion { _, _ in .fails(UpstreamFailure(kind, Self.words)) }
        try await EndpointFixture.run(CompletionEngine(model: model), logger: log.logger) { fixture in
            try await fixture.deploy(try EndpointFixture.modelGraph())
            let error = await #expect(throws: CallError.self) { try await fixture.ask("?") }
            #expect(error?.message.contains("10.0.0.7") == false)
        }
        let event = try #require(log.events.first)
        #expect(event.metadata?["reason"]?.description == Self.words)
        #expect(event.metadata?["request"]?.description == "r")
    }
}
