internal import ArgumentParser
internal import Planning
internal import Schema

/// `martlet replay`: a recorded request, answered again.
struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Answer a recorded request again, and show what is different.",
        discussion: """
            Steps that change something elsewhere are not repeated: their recorded output is taken. Ends with 1 where the \
            answer is another one.
            """
    )

    @Argument(help: "The request's id.")
    var id: String

    @Option(help: "Which of the revisions that serve, by its first digits; without it, the one that gets the traffic.")
    var revision: String?

    @OptionGroup var controller: ControllerOptions

    func run() async throws {
        struct Body: Encodable {
            var revision: String?
        }
        let client = try self.controller.client()
        let path = "requests/\(AdminClient.escape(self.id))"
        let before = try await client.get(path, as: RequestRecord.self)
        let after = try await client.post("\(path)/replay", Body(revision: self.revision), as: RequestRecord.self)
        try self.controller.show(after) { _ in
            ReplayText.render(before, after)
        } names: {
            [after.id]
        }
        guard ReplayText.isSame(before, after) else { throw ExitCode(1) }
    }
}

/// What a repeated request came to, beside what it came to before.
enum ReplayText {
    static func isSame(_ before: RequestRecord, _ after: RequestRecord) -> Bool {
        before.status == after.status && before.output == after.output
    }

    static func render(_ before: RequestRecord, _ after: RequestRecord) -> String {
        var lines = [
            "\(before.id) on revision \(before.revision): \(before.status) after \(before.microseconds) µs",
            "\(after.id) on revision \(after.revision): \(after.status) after \(after.microseconds) µs",
        ]
        if self.isSame(before, after) {
            lines.append("the same output")
        } else if before.status != after.status {
            lines.append("- \(before.status)" + (before.errorMessage.map { ": \($0)" } ?? ""))
            lines.append("+ \(after.status)" + (after.errorMessage.map { ": \($0)" } ?? ""))
        } else {
            for field in ResourceChange.fields(from: before.output ?? .null, to: after.output ?? .null, at: "output") {
                lines.append(field.path)
                lines.append("- \(field.old?.canonicalJSON ?? "nothing")")
                lines.append("+ \(field.new?.canonicalJSON ?? "nothing")")
            }
        }
        return lines.map { PlainText.line($0) }.joined(separator: "\n")
    }
}
