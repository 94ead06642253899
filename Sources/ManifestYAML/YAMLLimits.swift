/// What a file of manifests may cost.
package struct YAMLLimits: Sendable, Hashable {
    /// The longest file and so the longest document, in bytes.
    package var bytes = 1 << 20
    /// How deeply lists and mappings may nest, aliases followed.
    package var depth = 64
    /// How many aliases and merge keys a reader may meet in one document, those inside aliases counted each time.
    package var expansions = 10_000
    /// How many values aliases and merge keys may add to one document.
    package var expandedValues = 100_000
    /// How many problems of one file are reported.
    package var diagnostics = 1000

    package init() {}
}
