/// The way from a document's root to one of its values: `spec.steps[0].prompt.model`.
package struct FieldPath: Sendable, Hashable, CustomStringConvertible {
    package enum Component: Sendable, Hashable {
        case field(String)
        case item(Int)
    }

    package var components: [Component]

    package init(_ components: [Component] = []) {
        self.components = components
    }

    package init(_ fields: String...) {
        self.components = fields.map { .field($0) }
    }

    /// The path of a field of the value here.
    package func field(_ name: String) -> FieldPath {
        FieldPath(self.components + [.field(name)])
    }

    /// The path of an element of the list here.
    package func item(_ index: Int) -> FieldPath {
        FieldPath(self.components + [.item(index)])
    }

    package var description: String {
        var text = ""
        for component in self.components {
            switch component {
            case .item(let index): text += "[\(index)]"
            case .field(let name) where name.utf8.allSatisfy({ FieldPath.isPlain($0) }) && !name.isEmpty:
                if !text.isEmpty { text += "." }
                text += name
            case .field(let name): text += "['\(name)']"
            }
        }
        return text
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x80 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte)
            || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}
