internal import Schema

/// Which instances variants need, added up, so that a plan for some of them knows what all the others want.
struct InstanceNeeds: Sendable {
    /// What one variant needs, before a plan changes anything.
    struct Need: Sendable, Hashable {
        /// Copies of each instance of the target.
        var copies: [InstanceKey: Int] = [:]
        /// Instances that must stay loaded.
        var kept: Set<InstanceKey> = []
    }

    private var needs: [VariantID: Need] = [:]
    /// How many variants want so many copies of an instance.
    private var copies: [InstanceKey: [Int: Int]] = [:]
    private var keepers: [InstanceKey: Int] = [:]

    /// The most copies that any variant wants; nil where none wants the instance.
    func copies(of instance: InstanceKey) -> Int? { self.copies[instance]?.keys.max() }

    func keeps(_ instance: InstanceKey) -> Bool { self.keepers[instance] != nil }

    func need(of variant: VariantID) -> Need? { self.needs[variant] }

    /// Takes a variant's need in the place of what it needed before; nil: it needs nothing.
    mutating func replace(_ need: Need?, of variant: VariantID) {
        let old = self.needs[variant] ?? Need()
        let new = need ?? Need()
        guard old != new else { return }
        self.needs[variant] = need
        for (instance, copies) in old.copies {
            self.copies[instance]?[copies].decrement()
            if self.copies[instance]?.isEmpty == true { self.copies[instance] = nil }
        }
        for instance in old.kept { self.keepers[instance].decrement() }
        for (instance, copies) in new.copies { self.copies[instance, default: [:]][copies, default: 0] += 1 }
        for instance in new.kept { self.keepers[instance, default: 0] += 1 }
    }
}

extension Optional<Int> {
    /// One less; nothing in the place of 0.
    fileprivate mutating func decrement() {
        self = self.flatMap { $0 > 1 ? $0 - 1 : nil }
    }
}
