internal import Schema

/// What the planner found out about memory before it lets anything load.
struct MemoryAdmission {
    /// Whether there is room for what a variant wants to load.
    enum Room: Sendable, Hashable {
        /// There is, once these steps are done.
        case after([Milestone])
        /// There is not, with the numbers in words.
        case refused(String)
    }

    /// Room for a variant's target.
    var target: [VariantID: Room] = [:]
    /// Room for bringing a promoted revision back while another one is prepared.
    var promoted: [VariantID: Room] = [:]
    /// Steps that give memory back.
    var unloads: [InstanceKey: Milestone] = [:]
}

/// Adds up what instances take against a budget.
struct MemoryLedger {
    let budget: Int64
    /// What is kept free of it: room for the largest lazy instance.
    let reserved: Int64
    /// What stays in memory, and what was admitted so far.
    private(set) var taken: Int64
    /// Of memory in use, what this plan gives back anyway.
    private(set) var leaving: Int64
    private var admitted: Set<InstanceKey>

    init(
        budget: Int64,
        reserved: Int64 = 0,
        staying: Int64,
        leaving: Int64,
        resident: some Sequence<InstanceKey>
    ) {
        self.budget = budget
        self.reserved = reserved
        self.taken = staying
        self.leaving = leaving
        self.admitted = Set(resident)
    }

    /// Bytes that these instances would add.
    func need(of instances: [InstanceSpec], size: (InstanceSpec) -> Int64) -> Int64 {
        var seen = self.admitted
        return instances.reduce(0) { $0 + (seen.insert($1.key).inserted ? size($1) : 0) }
    }

    func fits(_ bytes: Int64, freeing freed: Int64 = 0) -> Bool {
        self.taken - freed + bytes <= self.budget - self.reserved
    }

    /// Whether the leaving instances have to be gone before this fits.
    func needsLeaving(_ bytes: Int64) -> Bool {
        bytes > 0 && self.taken + self.leaving + bytes > self.budget - self.reserved
    }

    mutating func admit(_ instances: [InstanceSpec], bytes: Int64, freeing freed: Int64 = 0) {
        self.taken += bytes - freed
        self.admitted.formUnion(instances.map(\.key))
    }
}

/// An amount of memory as people read it: `512 MiB`, `1.5 GiB`.
package func memoryWords(_ bytes: Int64) -> String {
    let units: [(name: String, size: Int64)] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
    guard let unit = units.first(where: { bytes >= $0.size }) else { return "\(bytes) bytes" }
    let tenths = (bytes * 10 + unit.size / 2) / unit.size
    return tenths % 10 == 0 ? "\(tenths / 10) \(unit.name)" : "\(tenths / 10).\(tenths % 10) \(unit.name)"
}
