internal import Planning
internal import Schema

/// Reads the documents of YAML files and reports all errors of all of them at once.
package struct ManifestReader: Sendable {
    /// The engines that are known without asking: the built-in ones and the two that come with the project.
    package static let defaultEngines: Set<String> = ["openai", "inference", "replay", "llama", "onnx"]

    /// The namespace of documents that name none.
    package var defaultNamespace: String
    /// What each source may declare, by the source's name; with one source, by the empty name, or not at all.
    package var scopes: [String: NamespaceScope] = [:]
    /// Engines whose names raise no warning.
    package var knownEngines: Set<String>
    package var limits: YAMLLimits
    /// What the files of one read have in common; nil: each keeps its own.
    var shared: SharedValues?

    package init(
        defaultNamespace: String = "default",
        knownEngines: Set<String> = ManifestReader.defaultEngines,
        limits: YAMLLimits = YAMLLimits()
    ) {
        self.defaultNamespace = defaultNamespace
        self.knownEngines = knownEngines
        self.limits = limits
    }

    /// Reads one file; `path` is what diagnostics call it.
    package func read(_ bytes: [UInt8], path: String) -> ManifestFile {
        guard bytes.count <= self.limits.bytes else { return self.tooLarge(path, bytes: Int64(bytes.count)) }
        var file = ManifestFile(path: path)
        let reader = DocumentReader(reader: self, path: path)
        self.eachDocument(of: bytes, path: path, into: &file) { reader.read($0, into: &$1) }
        file.diagnostics = self.settle(file.diagnostics, path: path)
        return file
    }

    /// What the manifests of a file may declare.
    func scope(of path: String) -> NamespaceScope {
        let named = SourcePath(path).flatMap { self.scopes[$0.source] }
        return named ?? self.scopes[""] ?? NamespaceScope(namespace: self.defaultNamespace)
    }

    /// What is known of a file that is too large to be read.
    func tooLarge(_ path: String, bytes: Int64) -> ManifestFile {
        .unreadable(path, "the file has \(bytes) bytes; a file of manifests has at most \(self.limits.bytes)")
    }

    /// Composes each document of a file; bytes that are no text are noted in `file`.
    func eachDocument(
        of bytes: [UInt8],
        path: String,
        into file: inout ManifestFile,
        _ body: (YAMLDocument, inout ManifestFile) -> Void
    ) {
        let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        bytes.withUnsafeBufferPointer { buffer in
            for chunk in YAMLStream.split(buffer, from: start) {
                let input = UnsafeBufferPointer(rebasing: buffer[chunk.range])
                if let offset = UTF8Scan.firstInvalidByte(in: input.span) {
                    let mark = YAMLPositions(input, firstLine: chunk.firstLine).mark(ofByte: offset)
                    let message = "not UTF-8 from byte \(chunk.range.lowerBound + offset) of the file on"
                    file.diagnostics.append(Diagnostic(at: mark.location(in: path), message))
                    file.unreadable = true
                } else {
                    body(YAMLComposer.compose(input, firstLine: chunk.firstLine, limits: self.limits), &file)
                }
            }
        }
    }

    /// Sorts, leaves out what aliases repeat, and ends a list that is too long.
    func settle(_ diagnostics: [Diagnostic], path: String) -> [Diagnostic] {
        let sorted = Set(diagnostics).sorted()
        guard sorted.count > self.limits.diagnostics, let last = sorted.prefix(self.limits.diagnostics).last else {
            return sorted
        }
        let more = sorted.count - self.limits.diagnostics
        return sorted.prefix(self.limits.diagnostics)
            + [Diagnostic(at: last.location, "and at least \(more) more problems in this file")]
    }
}

extension YAMLMark {
    func location(in path: String) -> SourceLocation {
        SourceLocation(path: self.path ?? path, line: self.line, column: self.column)
    }
}
