internal import Mustache
internal import Schema

/// One Mustache text in text mode, compiled: nothing is escaped, and values are never read as templates.
struct PromptText: Sendable {
    private let template: MustacheTemplate
    /// Whether a line break was put behind the text that is not the author's.
    private let endsWithSpareBreak: Bool

    /// Throws `TemplateInvalid`, with the place.
    init(_ text: String, place: String) throws(MartletError) {
        // The parser looks for a second brace behind a last one and fails where the text ends.
        self.endsWithSpareBreak = text.hasSuffix("{")
        do {
            // The pragma stands on a line of its own, which the parser takes away whole.
            self.template = try MustacheTemplate(
                string: "{{% CONTENT_TYPE:TEXT}}\n" + text + (self.endsWithSpareBreak ? "\n" : "")
            )
        } catch {
            throw MartletError("TemplateInvalid", "\(place) is no Mustache template: \(error)", cause: error)
        }
    }

    /// The text with the members of an object filled in.
    func render(_ values: [String: JSONValue]) -> String {
        let text = self.template.render(TemplateValue.of(.object(values)))
        return self.endsWithSpareBreak ? String(text.dropLast()) : text
    }
}
