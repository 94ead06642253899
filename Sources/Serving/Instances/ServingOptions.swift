package import Schema

/// Options of a model that are Serving's own: the engine never sees them.
package struct ServingOptions: Sendable, Hashable {
    /// The names of these options, as manifests spell them.
    package static let names: Set<String> = ["chatTemplate"]

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

    /// The options that are left for the engine.
    package static func engineOptions(of options: [String: JSONValue]) -> [String: JSONValue] {
        options.filter { !self.names.contains($0.key) }
    }
}
