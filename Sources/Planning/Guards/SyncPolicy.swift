/// When the newest commit of a source is applied.
package struct SyncPolicy: Sendable, Hashable, Codable {
    /// Who decides that a commit is applied.
    package enum Mode: String, Sendable, Hashable, Codable, CaseIterable {
        /// Every new commit is applied as it is read, unless a window forbids it.
        case automatic
        /// A commit is applied when a person says so.
        case manual
    }

    package var mode: Mode
    package var windows: [SyncWindow]

    package init(mode: Mode = .automatic, windows: [SyncWindow] = []) {
        self.mode = mode
        self.windows = windows
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.mode = try container.decodeIfPresent(Mode.self, forKey: .mode) ?? .automatic
        self.windows = try container.decodeIfPresent([SyncWindow].self, forKey: .windows) ?? []
    }

    /// Whether every commit is applied as soon as it is read.
    package var isOpen: Bool { self.mode == .automatic && self.windows.isEmpty }
}
