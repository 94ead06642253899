internal import Schema

extension ModelOpening {
    /// The options of a model that Serving reads itself, by the names that manifests use. Engines never see them.
    package static let servingOptions: Set<String> = ["chatTemplate"]

    /// The same opening with nothing but the engine's own options.
    package var forEngine: ModelOpening {
        var opening = self
        opening.options = self.options.filter { !ModelOpening.servingOptions.contains($0.key) }
        return opening
    }
}
