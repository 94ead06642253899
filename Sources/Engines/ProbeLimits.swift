/// What a probe may use before the kernel stops it.
package struct ProbeLimits: Sendable, Hashable, Codable {
    /// The most virtual memory, in bytes; nil sets no limit.
    package var addressSpace: UInt64?
    /// The most CPU time of all threads together, in seconds; nil sets no limit.
    package var cpuSeconds: UInt64?

    package init(addressSpace: UInt64? = nil, cpuSeconds: UInt64? = 600) {
        self.addressSpace = addressSpace
        self.cpuSeconds = cpuSeconds
    }
}
