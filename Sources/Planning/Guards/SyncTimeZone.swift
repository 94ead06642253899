internal import Foundation
internal import Schema

/// A time zone by its name in the time zone database.
package struct SyncTimeZone: Sendable, Hashable, Codable, CustomStringConvertible {
    /// `UTC`, `Europe/Berlin`.
    package let name: String
    private let zone: TimeZone

    package static let utc = SyncTimeZone(name: "UTC", zone: .gmt)

    private init(name: String, zone: TimeZone) {
        self.name = name
        self.zone = zone
    }

    /// Throws `BadTimeZone` for a name that this machine does not know.
    package init(_ name: String) throws {
        if name == "UTC" {
            self = .utc
            return
        }
        guard TimeZone.knownTimeZoneIdentifiers.contains(name), let zone = TimeZone(identifier: name) else {
            let guess = TimeZone.knownTimeZoneIdentifiers.first { $0.lowercased().hasSuffix("/" + name.lowercased()) }
            throw MartletError(
                "BadTimeZone",
                "'\(name)' is no time zone; " + (guess.map { "did you mean '\($0)'?" } ?? "write UTC or Europe/Berlin")
            )
        }
        self.init(name: name, zone: zone)
    }

    package var description: String { self.name }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        try self.init(try container.decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.name)
    }

    /// How far its clocks are ahead of UTC at a moment, in seconds.
    func offset(at seconds: Int64) -> Int64 {
        Int64(self.zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds))))
    }
}
