internal import Planning
internal import Schema

/// Finds where a field of a resource stands, by reading its file once more.
///
/// Places of fields are not kept for every resource that there is: hardly any of them is ever asked for.
struct FieldLocator {
    let repository: any SourceRepository
    let index: ManifestIndex
    let limits: YAMLLimits

    /// The place of a field, or of the nearest value around it when the field is not there.
    func locate(_ resource: Resource, _ field: FieldPath, _ place: Finding.Place) -> SourceLocation {
        if place == .value, let known = resource.fieldLocations[field.description] { return known }
        let path = resource.location.path
        // The text of what came through an overlay is not the text of one file.
        guard resource.origin == nil, let object = self.index.object(at: path),
            let bytes = try? self.repository.read(object, limit: Int64(self.limits.bytes)),
            let root = self.document(of: resource, in: bytes)
        else { return resource.location }
        return root.mark(of: field, at: place).location(in: path)
    }

    private func document(of resource: Resource, in bytes: [UInt8]) -> YAMLNode? {
        let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        return bytes.withUnsafeBufferPointer { buffer in
            for chunk in YAMLStream.split(buffer, from: start) {
                let input = UnsafeBufferPointer(rebasing: buffer[chunk.range])
                let document = YAMLComposer.compose(input, firstLine: chunk.firstLine, limits: self.limits)
                guard let root = document.root, root.mark.location(in: resource.location.path) == resource.location
                else { continue }
                return root
            }
            return nil
        }
    }
}
