package import Schema

/// Reads the file of sources and reports everything that is wrong with it at once.
package enum SourcesFileReader {
    /// What a file says, or nil where it has errors; `path` is what diagnostics call it.
    package static func read(_ bytes: [UInt8], path: String) -> (file: SourcesFile?, diagnostics: [Diagnostic]) {
        func refused(_ message: String) -> (SourcesFile?, [Diagnostic]) {
            (nil, [Diagnostic(at: SourceLocation(path: path, line: 1, column: 1), message)])
        }
        let limits = YAMLLimits()
        guard bytes.count <= limits.bytes else {
            return refused("the file has \(bytes.count) bytes; a file of sources has at most \(limits.bytes)")
        }
        if let offset = UTF8Scan.firstInvalidByte(in: bytes.span) {
            return refused("not UTF-8 from byte \(offset) of the file on")
        }
        let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        let documents = bytes.withUnsafeBufferPointer { buffer in
            YAMLStream.split(buffer, from: start).map { chunk in
                let input = UnsafeBufferPointer(rebasing: buffer[chunk.range])
                return YAMLComposer.compose(input, firstLine: chunk.firstLine, limits: limits)
            }
        }
        let filled = documents.filter { !($0.root?.isNull ?? $0.problems.isEmpty) }
        guard let document = filled.first else { return refused("the file declares no source; write 'sources:'") }
        if filled.count > 1, let other = filled[1].root {
            let location = other.mark.location(in: path)
            return (nil, [Diagnostic(at: location, "a file of sources is one document; put all under one 'sources:'")])
        }
        return self.read(document, path: path, limits: limits)
    }

    private static func read(
        _ document: YAMLDocument,
        path: String,
        limits: YAMLLimits
    ) -> (file: SourcesFile?, diagnostics: [Diagnostic]) {
        var diagnostics = document.problems.map { Diagnostic(at: $0.mark.location(in: path), $0.message) }
        guard let root = document.root, document.isComplete else { return (nil, diagnostics.sorted()) }
        var shapes = ShapeReader(path: path, limit: limits.diagnostics)
        shapes.label = "Sources"
        let value = shapes.read(root, as: .object(SourcesFile.shape))
        for finding in value.map({ SourcesFile.findings(in: $0) }) ?? [] { shapes.report(finding, in: root) }
        diagnostics += shapes.diagnostics
        guard let value, diagnostics.isEmpty else { return (nil, diagnostics.sorted()) }
        do {
            let complete = Shape.object(SourcesFile.shape).complete(value)
            return (try JSONValueDecoder().decode(SourcesFile.self, from: complete), [])
        } catch {
            // A value that passed its shape decodes; should a declaration and its type disagree, that is our fault.
            let message = "Martlet's own declaration of sources is wrong, please report it: \(error)"
            return (nil, [Diagnostic(at: root.mark.location(in: path), message)])
        }
    }
}
