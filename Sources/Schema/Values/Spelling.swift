// Swift counts texts as equal whose characters are, however those are spelt ("é" has two spellings in Unicode). Where
// bytes matter, as in a digest, these tell.

extension String {
    /// Whether two texts have the same bytes.
    package func isSpelled(_ other: String) -> Bool {
        self.utf8.elementsEqual(other.utf8)
    }
}

extension JSONValue {
    /// Whether a value that equals this one also has the same bytes in every text and every name.
    package func isSpelled(_ other: JSONValue) -> Bool {
        switch (self, other) {
        case (.string(let text), .string(let otherText)):
            return text.isSpelled(otherText)
        case (.array(let elements), .array(let others)):
            return zip(elements, others).allSatisfy { $0.isSpelled($1) }
        case (.object(let members), .object(let others)):
            return members.allSatisfy { name, member in
                others.index(forKey: name).map { name.isSpelled(others[$0].key) && member.isSpelled(others[$0].value) }
                    ?? false
            }
        default:
            return true
        }
    }
}

extension [String: String] {
    /// Whether a dictionary that equals this one also has the same bytes in every name and value.
    package func isSpelled(_ other: [String: String]) -> Bool {
        self.allSatisfy { name, value in
            other.index(forKey: name).map { name.isSpelled(other[$0].key) && value.isSpelled(other[$0].value) } ?? false
        }
    }
}
