internal import Planning
internal import Schema

/// What is wrong with manifests.
struct ValidationReport: Encodable {
    /// How many resources were read without an error.
    var resources: Int
    var errors: Int
    var warnings: Int
    /// Sorted by place.
    var diagnostics: [Diagnostic]
    /// Whether a controller that begins with this commit would let it in; nil when no signature is demanded.
    var signature: SignatureReport?

    /// Gathers what the manifests themselves, and the installed engines about them, have to say.
    ///
    /// - Parameter rest: What is known of manifests that were not read.
    init(_ desired: DesiredState, _ rest: CheckedRest, isStrict: Bool) {
        let checks = EngineCheck.diagnostics(of: desired) + EndpointAdvice.diagnostics(of: desired)
        let found = desired.diagnostics + desired.unavailable + checks + rest.warnings
        self.diagnostics = Set(found).sorted().map { diagnostic in
            var diagnostic = diagnostic
            if isStrict { diagnostic.severity = .error }
            return diagnostic
        }
        self.resources = desired.resources.count + rest.resources
        self.errors = self.diagnostics.count { $0.severity == .error }
        self.warnings = self.diagnostics.count - self.errors
    }

    /// `5 resources, 2 errors, 1 warning`.
    var summary: String {
        var parts = [Counted.words(self.resources, "resource"), Counted.words(self.errors, "error")]
        if self.warnings > 0 { parts.append(Counted.words(self.warnings, "warning")) }
        return parts.joined(separator: ", ")
    }
}
