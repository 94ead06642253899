internal import Foundation
internal import GRDB
internal import Schema

/// Values as they stand in a column: JSON with sorted keys, so that equal values are equal texts.
enum StoredJSON {
    static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// Reads a column back; what does not fit is reported as damage to its table.
    static func decode<Value: Decodable>(_ type: Value.Type, _ text: String, in table: String) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(text.utf8))
        } catch {
            throw self.damage(table, "\(error)")
        }
    }

    /// Reads a key back.
    static func key<Value>(_ value: Value?, _ text: String, in table: String) throws -> Value {
        guard let value else { throw self.damage(table, "'\(text)' is no key") }
        return value
    }

    private static func damage(_ table: String, _ why: String) -> DatabaseError {
        DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a row of table '\(table)' cannot be read: \(why)")
    }
}
