internal import ArgumentParser
internal import Foundation
internal import Planning
internal import Schema

/// `martlet logs`: the records of requests.
struct LogsCommand: AsyncParsableCommand {
    /// How records are printed.
    enum Format: String, CaseIterable, ExpressibleByArgument {
        case table
        case wide
        case json
        case jsonl
    }

    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Show records of requests, and search them.",
        discussion: """
            Words must all occur in the input or the output; one that ends with * stands for all that begin like it. \
            With -o jsonl and without --limit, everything that is found is printed, newest first: an export.
            """
    )

    @Argument(help: "Words to look for.")
    var text: [String] = []

    @Option(help: "Only requests of this endpoint.")
    var endpoint: String?

    @Option(name: .shortAndLong, help: "Only requests of endpoints in this namespace.")
    var namespace: String?

    @Option(help: "Only this tenant's requests.")
    var tenant: String?

    @Option(help: "Only requests that this revision answered, by its first digits.")
    var revision: String?

    @Option(help: "Only requests with this status: ok, cancelled, error, or a code such as queueFull.")
    var status: String?

    @Option(help: "Only requests since then: 10m, 2h, 3d, or a time such as 2026-01-31T12:00:00Z.")
    var since: String?

    @Option(help: "Only requests before then.")
    var until: String?

    @Option(help: "Show at most this many (default: 50; all with -o jsonl).")
    var limit: Int?

    @Flag(name: .shortAndLong, help: "Go on printing records as they come, until Ctrl-C.")
    var follow = false

    @Option(name: [.customShort("o"), .customLong("output")], help: "table, wide, json or jsonl.")
    var format: Format = .table

    @OptionGroup var socket: SocketOptions

    func validate() throws {
        if let limit = self.limit, !(1...10_000).contains(limit) {
            throw ValidationError("--limit goes from 1 to 10000")
        }
        for (name, text) in [("--since", self.since), ("--until", self.until)] {
            if let text, LogsCommand.timestamp(text, now: 0) == nil {
                throw ValidationError("\(name) is a length of time such as 2h, or a time such as 2026-01-31T12:00:00Z")
            }
        }
    }

    func run() async throws {
        let client = try self.socket.client()
        var newest: Int64 = 0
        if self.format == .jsonl, self.limit == nil, !self.follow {
            var before: Int64?
            repeat {
                let page = try await client.get(self.path(limit: 500, before: before), as: RecordPage.self)
                try self.print(page.records)
                before = page.next
            } while before != nil
            return
        }
        let page = try await client.get(self.path(limit: self.limit ?? 50), as: RecordPage.self)
        newest = page.newest
        // Oldest first where others follow below.
        try self.print(self.follow ? page.records.reversed() : page.records)
        guard self.follow else { return }
        while true {
            try await Task.sleep(for: .seconds(1))
            let page = try await client.get(self.path(limit: 500, after: newest), as: RecordPage.self)
            if !page.records.isEmpty { try self.print(page.records) }
            newest = page.next ?? page.newest
        }
    }

    private func path(limit: Int, before: Int64? = nil, after: Int64? = nil) -> String {
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        let conditions: [(String, String?)] = [
            ("text", self.text.isEmpty ? nil : self.text.joined(separator: " ")), ("endpoint", self.endpoint),
            ("namespace", self.namespace), ("tenant", self.tenant), ("revision", self.revision),
            ("status", self.status),
            ("since", self.since.flatMap { LogsCommand.timestamp($0, now: now) }.map(String.init)),
            ("until", self.until.flatMap { LogsCommand.timestamp($0, now: now) }.map(String.init)),
            ("before", before.map(String.init)), ("after", after.map(String.init)), ("limit", String(limit)),
        ]
        let given = conditions.compactMap { name, value in value.map { "\(name)=\(AdminClient.escape($0))" } }
        return "requests?" + given.joined(separator: "&")
    }

    private func print(_ records: [RequestRecord]) throws {
        let print = CommandEnvironment.current.print
        switch self.format {
        case .table, .wide:
            print(records.isEmpty ? "No requests." : LogsText.render(records, wide: self.format == .wide))
        case .json: print(try Rendering.json(records))
        case .jsonl: for record in records { print(String(decoding: record.json, as: UTF8.self)) }
        }
    }

    /// Milliseconds since 1970; nil for what is no time.
    static func timestamp(_ text: String, now: Int64) -> Int64? {
        if let length = ManifestDuration(text) { return max(0, now - length.milliseconds) }
        let date = (try? Date(text, strategy: .iso8601)) ?? (try? Date("\(text)T00:00:00Z", strategy: .iso8601))
        return date.map { max(0, Int64($0.timeIntervalSince1970 * 1000)) }
    }
}

/// Records, one line each.
enum LogsText {
    static func render(_ records: [RequestRecord], wide: Bool) -> String {
        var table = TextTable(
            ["TIME", "REQUEST", "ENDPOINT", "REVISION", "STATUS", "TOOK", "TOKENS"]
                + (wide ? ["TENANT", "OPERATION", "STEPS", "MESSAGE", "INPUT", "OUTPUT"] : []),
            shortening: ["INPUT", "OUTPUT", "MESSAGE"]
        )
        for record in records {
            var cells = [
                TimeText.render(record.startedAt), record.id, record.variant.description, record.revision.description,
                record.status, TraceText.time(record.microseconds),
                "\(record.usage.promptTokens)+\(record.usage.completionTokens)",
            ]
            if wide {
                cells += [
                    record.tenant ?? "-", record.operation.rawValue, "\(record.steps.count)",
                    record.errorMessage ?? "-", record.input.map(TraceText.value) ?? "-",
                    record.output.map(TraceText.value) ?? "-",
                ]
            }
            table.add(cells)
        }
        return table.render()
    }
}
