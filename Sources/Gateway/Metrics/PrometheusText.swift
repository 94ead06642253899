/// Writes metric families in Prometheus' text exposition format, version 0.0.4.
package enum PrometheusText {
    /// The media type of what ``encode(_:)`` writes.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// One block for each family, sorted by name; of families with one name only the first is written, since a scrape
    /// with two would be refused as a whole.
    package static func encode(_ families: [MetricFamily]) -> String {
        var text = ""
        var written: Set<String> = []
        for family in families.sorted(by: { $0.name < $1.name }) where written.insert(family.name).inserted {
            text += "# HELP \(family.name) \(self.escape(family.help, quotes: false))\n"
            text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
            for sample in family.samples {
                text += family.name + sample.suffix
                if !sample.labels.isEmpty {
                    let labels = sample.labels.map { "\($0.name)=\"\(self.escape($0.value, quotes: true))\"" }
                    text += "{" + labels.joined(separator: ",") + "}"
                }
                text += " \(self.number(sample.value))\n"
            }
        }
        return text
    }

    /// A number as the format spells it: whole numbers without a point, `+Inf`, `-Inf`, `NaN`.
    package static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value) { return String(whole) }
        return value.description
    }

    private static func escape(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
