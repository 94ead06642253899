/// Checks of a `KnowledgeBase` and a `FeatureTable` that one field alone cannot answer for.
enum LookupCheck {
    static func findings(inKnowledgeBase spec: JSONValue, at path: FieldPath) -> [Finding] {
        (spec["documents"]?.array ?? []).enumerated().flatMap { index, documents in
            let entry = path.field("documents").item(index)
            return SourceCheck.findings(documents["source"], at: entry.field("source"))
                + self.datasetFindings(documents, at: entry)
        } + self.chunkingFindings(spec["chunking"], at: path.field("chunking"))
            + self.indexFindings(spec, at: path)
    }

    static func findings(inFeatureTable spec: JSONValue, at path: FieldPath) -> [Finding] {
        var findings = SourceCheck.findings(spec["sqlite"]?["source"], at: path.field("sqlite").field("source"))
        let columns = spec["key"]?.array?.compactMap(\.string) ?? []
        for (index, column) in columns.enumerated() where columns[..<index].contains(column) {
            findings.append(Finding(path.field("key").item(index), "the key has the column '\(column)' twice"))
        }
        return findings
    }

    /// What is said of folders means nothing for a dataset.
    private static func datasetFindings(_ documents: JSONValue, at path: FieldPath) -> [Finding] {
        guard documents["dataset"] != nil else { return [] }
        return ["include", "exclude", "format"].filter { documents[$0] != nil }.map { field in
            Finding(
                path.field(field),
                at: .key,
                "the field '\(field)' has no meaning beside 'dataset', which says of itself what it is"
            )
        }
    }

    private static func chunkingFindings(_ chunking: JSONValue?, at path: FieldPath) -> [Finding] {
        let (size, overlap) = (Self.integer(chunking?["size"]) ?? 256, Self.integer(chunking?["overlap"]) ?? 32)
        guard overlap >= size else { return [] }
        let isDefault = chunking?["overlap"] == nil
        return [
            Finding(
                path.field(isDefault ? "size" : "overlap"),
                "each piece has at most \(size), and the next one repeats \(overlap)\(isDefault ? ", the default" : ""); "
                    + "'overlap' must be less than 'size'"
            )
        ]
    }

    private static func integer(_ value: JSONValue?) -> Int64? {
        guard case .integer(let number)? = value else { return nil }
        return number
    }

    private static func indexFindings(_ spec: JSONValue, at path: FieldPath) -> [Finding] {
        let word = spec["index"]?["type"]?.string ?? KnowledgeBaseSpec.Index.Form.lexical.rawValue
        guard let form = KnowledgeBaseSpec.Index.Form(rawValue: word) else { return [] }
        if form.embeds, spec["embedding"] == nil {
            return [
                Finding(
                    path.field("index").field("type"),
                    "a \(word) index needs 'embedding: {model: …}', which makes vectors of the pieces"
                )
            ]
        }
        guard !form.embeds, spec["embedding"] != nil else { return [] }
        return [
            Finding(
                path.field("embedding"),
                at: .key,
                "a lexical index goes by words and embeds nothing; write 'index: {type: hybrid}' or leave 'embedding' out"
            )
        ]
    }
}
