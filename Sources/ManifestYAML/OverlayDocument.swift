internal import Planning
internal import Schema

/// An overlay with its text, so that patches keep their places.
struct OverlayDocument {
    let identity: ResourceIdentity
    /// Of its file.
    let path: String
    /// The blob of its file.
    let object: ObjectID
    let spec: OverlaySpec
    /// Every place names the file.
    let root: YAMLNode

    init?(_ resource: Resource, _ root: YAMLNode, path: String, object: ObjectID) {
        guard case .overlay(let spec) = resource.spec else { return nil }
        self.identity = resource.identity
        self.path = path
        self.object = object
        self.spec = spec
        self.root = root.placed(in: path)
    }

    var location: SourceLocation { self.root.mark.location(in: self.path) }

    /// The folder of its file, within the source.
    var folder: String {
        RelativePath.split(self.pathInSource).folder
    }

    /// Where a folder that it includes lies; nil when that is outside of the repository.
    func folder(of include: String) -> String? {
        guard let path = OverlaySpec.path(of: include, from: self.folder) else { return nil }
        return SourcePath(self.path).map { SourcePath($0.source, path).description } ?? path
    }

    private var pathInSource: String { SourcePath(self.path)?.path ?? self.path }

    /// The patch at a position, as it stands.
    func patch(_ position: Int) -> YAMLNode? {
        self.root.value(at: self.field(ofPatch: position).field("patch"))
    }

    func field(ofPatch position: Int) -> FieldPath {
        FieldPath("spec", "patches").item(position)
    }

    /// An error at one of its fields.
    func error(at field: FieldPath, _ message: String) -> Diagnostic {
        Diagnostic(at: self.root.mark(of: field, at: .value).location(in: self.path), message, resource: self.identity)
    }

    /// Patches that would call a resource something else.
    var renamingPatches: [Diagnostic] {
        self.spec.patches.indices.compactMap { position in
            let target = self.spec.patches[position].target
            let field = self.field(ofPatch: position).field("patch")
            let fixed: [(FieldPath, String?)] = [
                (FieldPath("apiVersion"), ManifestEnvelope.apiVersion), (FieldPath("kind"), target.kind.rawValue),
                (FieldPath("metadata", "name"), target.name), (FieldPath("metadata", "namespace"), target.namespace),
            ]
            for (path, value) in fixed {
                guard let node = self.patch(position)?.value(at: path), node.scalar?.text != value else { continue }
                let place = FieldPath(field.components + path.components)
                return self.error(at: place, "a patch cannot change the field '\(path)', which names the resource")
            }
            return nil
        }
    }
}
