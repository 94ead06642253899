internal import ArgumentParser
internal import Foundation
internal import Schema

/// What a load test sends, and where.
struct LoadRequestOptions: ParsableArguments {
    @Option(help: "A chat completion with this message of a user; what is sent where nothing else is asked for.")
    var prompt: String?

    @Flag(help: "With --prompt: streamed, with the time to the first token and the gaps between pieces.")
    var stream = false

    @Option(help: "With --prompt: the most tokens of an answer.")
    var maxTokens: Int?

    @Option(help: "The embedding of this text.")
    var embed: String?

    @Option(help: "An inference request of the Open Inference Protocol: a JSON file.")
    var infer: String?

    @Option(help: "A chain, with the input in this JSON file.")
    var chain: String?

    @Option(help: "Any path, such as /v1/completions: a POST with --body or --data, else a GET.")
    var path: String?

    @Option(help: "With --path: the file with the body.")
    var body: String?

    @Option(help: "The body itself, as JSON: with --path, else of an inference request.")
    var data: String?

    @Option(name: .customLong("header"), help: "One more header, such as 'authorization: Bearer …'; repeatable.")
    var headers: [String] = []

    @Option(help: "The data plane's address; default: what the controller wrote down in its state directory.")
    var dataPlane: String?

    func validate() throws {
        let given = [
            self.prompt.map { _ in "--prompt" }, self.embed.map { _ in "--embed" }, self.infer.map { _ in "--infer" },
            self.chain.map { _ in "--chain" }, self.path.map { _ in "--path" },
        ].compactMap { $0 }
        guard given.count <= 1 else { throw ValidationError("give \(given.joined(separator: " or ")), not both") }
        let isChat = (given.isEmpty && self.data == nil) || self.prompt != nil
        guard isChat || (!self.stream && self.maxTokens == nil) else {
            throw ValidationError("--stream and --max-tokens go with --prompt")
        }
        guard self.body == nil || (self.path != nil && self.data == nil) else {
            throw ValidationError("--body goes with --path, and without --data")
        }
        guard self.data == nil || self.path != nil || given.isEmpty else {
            throw ValidationError("--data goes with --path, or alone for an inference request")
        }
        if let path = self.path, !Self.isPath(path) {
            throw ValidationError("--path '\(path)' is no path; write /v1/completions, with what is special escaped")
        }
        _ = try self.headers.map { try Self.header($0) }
    }

    /// The request. Throws when a file cannot be read.
    func request(to target: LoadTarget, endpoint: String?, agent: String) throws -> LoadRequest {
        let (path, body) = try self.call(of: endpoint ?? "")
        return LoadRequest(
            target,
            path: path,
            body: body,
            headers: try self.headers.map { try Self.header($0) },
            agent: agent
        )
    }

    private func call(of endpoint: String) throws -> (path: String, body: [UInt8]?) {
        // Names hold no dots, and a path has no room for their slash.
        let inPath = endpoint.replacing("/", with: ".")
        if let path = self.path { return (path, try self.body.map(Self.file) ?? self.data.map { Array($0.utf8) }) }
        if let data = self.data { return ("/v2/models/\(inPath)/infer", Array(data.utf8)) }
        if let file = self.infer { return ("/v2/models/\(inPath)/infer", try Self.file(file)) }
        if let file = self.chain { return ("/v1/chains/\(inPath)", try Self.file(file)) }
        if let text = self.embed {
            let body: JSONValue = ["model": .string(endpoint), "input": .string(text)]
            return ("/v1/embeddings", Array(body.canonicalJSON.utf8))
        }
        return ("/v1/chat/completions", Array(self.chat(endpoint).canonicalJSON.utf8))
    }

    private func chat(_ endpoint: String) -> JSONValue {
        var body: [String: JSONValue] = [
            "model": .string(endpoint),
            "messages": [["role": "user", "content": .string(self.prompt ?? "Hello!")]],
        ]
        if self.stream {
            body["stream"] = true
            body["stream_options"] = ["include_usage": true]
        }
        if let most = self.maxTokens { body["max_completion_tokens"] = .integer(Int64(most)) }
        return .object(body)
    }

    private static func file(_ path: String) throws -> [UInt8] {
        do {
            return Array(try Data(contentsOf: URL(filePath: path)))
        } catch {
            throw MartletError("FileUnreadable", "'\(path)' cannot be read: \(error.localizedDescription)")
        }
    }

    private static func isPath(_ text: String) -> Bool {
        text.hasPrefix("/") && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    private static func header(_ text: String) throws -> (name: String, value: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let name = parts[0].utf8
        let isName = !name.isEmpty && name.allSatisfy { (0x21...0x7E).contains($0) }
        guard parts.count == 2, isName, !parts[1].utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
            throw ValidationError("--header '\(text)' is no header; write 'name: value'")
        }
        return (String(parts[0]), parts[1].trimmingCharacters(in: .whitespaces))
    }
}
