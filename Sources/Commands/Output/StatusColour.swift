internal import Schema

/// The colours of a status on a terminal: green is well, yellow is on its way, red needs somebody.
enum StatusColour {
    private static let green = "32"
    private static let yellow = "33"
    private static let red = "31"

    /// A cell in the colour of the status that it says; any other text as it is.
    static func paint(_ cell: String) -> String {
        let code = SyncStatus(rawValue: cell).map(Self.code) ?? HealthStatus(rawValue: cell).map(Self.code)
        guard let code = code ?? nil else { return cell }
        return "\u{1B}[\(code)m\(cell)\u{1B}[0m"
    }

    private static func code(_ status: SyncStatus) -> String? {
        switch status {
        case .synced: Self.green
        case .outOfSync: Self.yellow
        case .unknown: nil
        }
    }

    private static func code(_ status: HealthStatus) -> String? {
        switch status {
        case .healthy: Self.green
        case .progressing, .suspended: Self.yellow
        case .degraded, .missing: Self.red
        case .unknown: nil
        }
    }
}
