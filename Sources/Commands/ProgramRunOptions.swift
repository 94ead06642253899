/// How `martlet run` runs the programs of chains.
package struct ProgramRunOptions: Sendable, Hashable {
    /// Whether they run without a sandbox.
    package var allowsUnsandboxed: Bool
    /// Folders that they may read besides the system's.
    package var readable: [String]

    package init(allowsUnsandboxed: Bool = false, readable: [String] = []) {
        self.allowsUnsandboxed = allowsUnsandboxed
        self.readable = readable
    }
}
