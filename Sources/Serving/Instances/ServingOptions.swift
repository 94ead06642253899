package import Schema

/// Options of a model that are Serving's own, `ModelOpening.servingOptions`: the engine never sees them.
package struct ServingOptions: Sendable, Hashable {
    /// In place of the template that the model carries; nil takes that.
    package var chatTemplate: ChatTemplate?

    /// Reads them from a model's options. Throws `InvalidOption`.
    package init(_ options: [String: JSONValue]) throws {
        guard let value = options["chatTemplate"] else { return }
        guard let name = value.string else {
            throw MartletError("InvalidOption", "option 'chatTemplate' must be the name of a template")
        }
        self.chatTemplate = try ChatTemplate(named: name)
    }
}
