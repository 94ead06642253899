/// The forms of text that manifests know.
package enum TextFormat: String, Sendable, Hashable, CaseIterable {
    /// An RFC 1123 label: the name of a resource.
    case label
    /// The name of a namespace in which `*` stands for any letters.
    case namespacePattern
    /// The name of one of a model's adapters, a label too.
    case adapter
    /// The name of an engine.
    case engine
    /// 64 hexadecimal digits.
    case sha256
    /// Where an artifact lies: in the repository, or `file:`, `https:`, `s3:`, `hf:`.
    case artifact
    /// The same, for what must be one file.
    case artifactFile
    /// A path inside the repository.
    case repositoryPath
    /// A folder inside the repository.
    case repositoryFolder
    /// A folder inside the repository as another file of it sees it: `../base`.
    case includedFolder
    /// A pattern of repository paths, as in `.gitignore`.
    case glob
    /// `http://…` or `https://…`.
    case url
    /// A host name, with `*.` in front for all below it.
    case host
    /// A regular expression.
    case regex
    /// The name of an environment variable.
    case environmentVariable
    /// A file name without folders.
    case fileName
    /// An RFC 9535 singular query.
    case query
    /// How often, such as `1/1000`.
    case ratio
    /// Five fields of cron.
    case cron
    /// A field that monitors watch, such as `input.text`.
    case signal
    /// A variable of a template, a column, a feature.
    case identifier

    /// The end of "must be …".
    package var expectation: String {
        switch self {
        case .label, .adapter:
            "lower-case letters, digits and '-', at most 63, beginning and ending with a letter or digit"
        case .namespacePattern: "the name of a namespace, in which '*' stands for any letters"
        case .engine: "the name of an engine: lower-case letters, digits, '-' and '_'"
        case .sha256: "64 hexadecimal digits"
        case .artifact, .artifactFile:
            "a path inside the repository without '..', or file:///…, https://…, s3://…, hf://owner/repo/file"
        case .repositoryPath, .repositoryFolder: "a path inside the repository, without '..' and without a '/' in front"
        case .includedFolder: "a folder such as '../base', or '/base' from the repository's root"
        case .glob: "a pattern of paths inside the repository"
        case .url: "an http:// or https:// address"
        case .host: "a host name such as 'api.example.org' or '*.example.org'"
        case .regex: "a regular expression that compiles"
        case .environmentVariable: "the name of an environment variable: letters, digits and '_', no digit in front"
        case .fileName: "a file name without folders"
        case .query: "a reference such as '$.output'"
        case .ratio: "a ratio such as '1/1000'"
        case .cron: "five cron fields such as '0 3 * * *'"
        case .signal: "a signal such as 'input.text' or 'output.intent'"
        case .identifier: "letters, digits, '_' and '-', no digit in front"
        }
    }

    /// An ECMA-262 pattern for JSON Schema; nil where a pattern cannot say it.
    package var pattern: String? {
        switch self {
        case .label, .adapter: "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
        case .namespacePattern: "^[-a-z0-9*]{1,63}$"
        case .engine: "^[a-z0-9]([-_a-z0-9]{0,61}[a-z0-9])?$"
        case .sha256: "^[0-9a-fA-F]{64}$"
        case .url: "^https?://[^\\s/]+(/\\S*)?$"
        case .environmentVariable: "^[A-Za-z_][A-Za-z0-9_]*$"
        case .fileName: "^(?!\\.{1,2}$)[^/\\s]+$"
        case .ratio: "^1/[1-9][0-9]{0,8}$"
        case .signal: "^[A-Za-z_][A-Za-z0-9_-]*(\\.[A-Za-z_][A-Za-z0-9_-]*)*$"
        case .identifier: "^[A-Za-z_][A-Za-z0-9_-]*$"
        case .query: "^\\$"
        case .repositoryPath, .repositoryFolder, .glob, .artifact, .artifactFile: "^[^/]"
        case .includedFolder: "^[^\\\\]+$"
        case .host, .regex, .cron: nil
        }
    }

    /// Whether a text has this form.
    package func accepts(_ text: String) -> Bool {
        switch self {
        case .label, .adapter: TextFormat.isLabel(text)
        case .namespacePattern: TextFormat.isLabel(String(text.map { $0 == "*" ? "a" : $0 }))
        case .engine: TextFormat.isLabel(String(text.map { $0 == "_" ? "-" : $0 }))
        case .sha256: Digest(hex: text) != nil
        case .artifact, .artifactFile: ArtifactLocation(text) != nil
        case .repositoryPath, .repositoryFolder: RelativePath.isValid(text)
        case .includedFolder: RelativePath.isFolder(text)
        case .glob:
            RelativePath.isValid(
                text.utf8.last == UInt8(ascii: "/") ? String(decoding: text.utf8.dropLast(), as: UTF8.self) : text
            )
        case .url: TextFormat.isWebAddress(text)
        case .host: TextFormat.isHost(text)
        case .regex: RegularExpression.compiles(text)
        case .environmentVariable: TextFormat.isIdentifier(text, extra: "_")
        case .fileName:
            !text.isEmpty && text != "." && text != ".." && !text.utf8.contains(UInt8(ascii: "/"))
                && !text.hasWhitespace
        case .query: (try? SingularQuery(text)) != nil
        case .ratio: TextFormat.isRatio(text)
        case .cron: CronExpression.isValid(text)
        case .signal:
            text.split(separator: ".", omittingEmptySubsequences: false)
                .allSatisfy { TextFormat.isIdentifier($0, extra: "_-") }
        case .identifier: TextFormat.isIdentifier(text, extra: "_-")
        }
    }

    /// Whether a text is an RFC 1123 label.
    package static func isLabel(_ text: String) -> Bool { self.isLabel(text[...]) }

    /// Whether a part of a text is an RFC 1123 label.
    package static func isLabel(_ text: Substring) -> Bool {
        let bytes = text.utf8
        let hyphen = UInt8(ascii: "-")
        guard (1...63).contains(bytes.count), bytes.first != hyphen, bytes.last != hyphen else { return false }
        return bytes.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == hyphen }
    }

    private static func isIdentifier(_ text: some StringProtocol, extra: String) -> Bool {
        guard let first = text.utf8.first, !(0x30...0x39).contains(first), first != UInt8(ascii: "-") else {
            return false
        }
        return text.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0)
                || extra.utf8.contains($0)
        }
    }

    private static func isWebAddress(_ text: String) -> Bool {
        guard let scheme = ["http://", "https://"].first(where: { text.hasPrefix($0) }), !text.hasWhitespace else {
            return false
        }
        return text.utf8.count > scheme.utf8.count && !text.dropFirst(scheme.count).hasPrefix("/")
    }

    private static func isHost(_ text: String) -> Bool {
        let name = text.hasPrefix("*.") ? text.dropFirst(2) : Substring(text)
        return name.lowercased().split(separator: ".", omittingEmptySubsequences: false).allSatisfy { Self.isLabel($0) }
    }

    private static func isRatio(_ text: String) -> Bool {
        guard text.hasPrefix("1/"), let count = Int32(text.dropFirst(2)) else { return false }
        return count > 0 && !text.contains("+")
    }
}

extension String {
    fileprivate var hasWhitespace: Bool {
        self.unicodeScalars.contains { $0.properties.isWhitespace || $0.value < 0x20 }
    }
}
