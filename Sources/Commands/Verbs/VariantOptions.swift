internal import ArgumentParser
internal import Planning
internal import Schema

/// An endpoint, and the tenant whose own variant is meant.
struct VariantOptions: ParsableArguments {
    @Argument(help: "endpoint/desk, or endpoint/namespace/desk.")
    var endpoint: String

    @Option(help: "The tenant whose own variant is meant; without it, the default one.")
    var variant: String?

    @OptionGroup var namespace: NamespaceOptions

    func validate() throws {
        _ = try self.id()
    }

    func id() throws -> VariantID {
        try ResourceName.variant(self.endpoint, tenant: self.variant, namespace: self.namespace.namespace)
    }
}
