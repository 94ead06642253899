import Planning
import Schema
import Testing

struct RecordKeepingTests {
    private static func record(_ id: String = "a", status: String = "ok") -> RequestRecord {
        RequestRecord(
            id: id,
            startedAt: Timestamp(milliseconds: 1),
            operation: .chain,
            variant: VariantID(namespace: "default", endpoint: "desk"),
            revision: Revision(Digest(of: [1])),
            commit: "c",
            status: status,
            errorMessage: status == "ok" ? nil : "mail jo@example.org",
            input: "in jo@example.org",
            parameters: ["stop": ["jo@example.org"]],
            output: "out jo@example.org",
            steps: [
                StepRecord(
                    name: "s",
                    type: "prompt",
                    input: "jo@example.org",
                    output: "jo@example.org",
                    guards: [GuardRecord(place: "input", rule: "deny", action: "flag", detail: "jo@example.org")],
                    errorMessage: "jo@example.org",
                    children: [StepRecord(name: "t", type: "http", output: "jo@example.org")]
                )
            ]
        )
    }

    @Test(
        "payloads are kept by what became of the request",
        arguments: [
            (EndpointSpec.Log.Payloads.all, "ok", true), (.all, "failed", true), (.all, "cancelled", true),
            (.errors, "ok", false), (.errors, "failed", true), (.errors, "cancelled", false),
            (.none, "ok", false), (.none, "failed", false),
        ] as [(EndpointSpec.Log.Payloads, String, Bool)]
    )
    func payloads(payloads: EndpointSpec.Log.Payloads, status: String, isKept: Bool) {
        let record = Self.record(status: status)
        let kept = record.kept(under: EndpointSpec.Log(payloads: payloads))
        #expect((kept == record) == isKept)
        guard !isKept else { return }
        #expect((kept.input, kept.parameters, kept.output) == (nil, nil, nil))
        #expect((kept.steps[0].input, kept.steps[0].output, kept.steps[0].children[0].output) == (nil, nil, nil))
        #expect((kept.status, kept.steps.count, kept.errorMessage) == (status, 1, record.errorMessage))
    }

    @Test("a sample is the same requests each time, about as many as it says", arguments: [0, 0.1, 0.5, 0.9, 1])
    func sample(share: Double) {
        let log = EndpointSpec.Log(sample: share)
        let ids = (0..<4000).map { "request-\($0)" }
        let kept = ids.map { Self.record($0).isPayloadKept(under: log) }
        #expect(kept == ids.map { Self.record($0).isPayloadKept(under: log) })
        #expect(abs(Double(kept.count { $0 }) / 4000 - share) < 0.03)
        // A larger sample has all of a smaller one.
        let more = ids.map { Self.record($0).isPayloadKept(under: EndpointSpec.Log(sample: min(1, share + 0.1))) }
        #expect(zip(kept, more).allSatisfy { !$0 || $1 })
    }

    @Test("no text of a record is left out when it is blackened")
    func redaction() {
        let redacted = Self.record(status: "failed").redacted(Redactor([.email]))
        #expect(!"\(redacted)".contains("jo@example.org"))
        #expect(redacted.input == "in [email]")
        #expect(redacted.errorMessage == "mail [email]")
    }
}
