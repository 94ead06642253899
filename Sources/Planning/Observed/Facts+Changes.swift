internal import Schema

extension Facts {
    /// Makes one change; what it means here is what every store keeps.
    ///
    /// A change that is made twice equals one that is made once. Records, conditions and loading marks are no part of
    /// the facts and change nothing.
    package mutating func apply(_ change: FactChange) {
        switch change {
        case .variant(let variant, let facts):
            self.variants[variant] = facts
        case .forgetVariant(let variant):
            self.variants[variant] = nil
            self.holds.removeAll { $0.variant == variant }
        case .hold(let hold):
            self.lift(hold.variant, hold.revision)
            self.holds.append(hold)
        case .liftHold(let variant, let revision):
            self.lift(variant, revision)
        case .suspend(let suspension):
            self.suspensions.insert(suspension)
        case .resume(let suspension):
            self.suspensions.remove(suspension)
        case .probe(let instance, let report):
            self.probes[instance] = report
        case .forgetProbe(let instance):
            self.probes[instance] = nil
        case .crashed(let instance):
            self.crashed.insert(instance)
        case .forgiveCrash(let instance):
            self.crashed.remove(instance)
        case .applied(let applied):
            self.applied[applied.source] = applied
        case .confirmPrune(let confirmation):
            self.confirmations[confirmation.commit] = confirmation
        case .endConfirmation(let commit):
            self.confirmations[commit] = nil
        case .loadCutShort(let instance, let starts):
            self.cutShort[instance] = starts
        case .endLoading(let instance):
            self.cutShort[instance] = nil
        case .beginLoading, .commit, .promotion, .conditions, .event, .audit:
            break
        }
    }

    private mutating func lift(_ variant: VariantID, _ revision: Revision) {
        self.holds.removeAll { $0.variant == variant && $0.revision == revision }
    }
}
