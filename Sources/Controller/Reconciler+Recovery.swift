internal import Planning
internal import Schema

extension Reconciler {
    /// How many processes in a row may end, while memory is short, as they load one instance.
    private static let cutShortLimit = 3

    /// Reads what was written down, and settles the loads that the last process did not end.
    ///
    /// ``run()`` does it when nobody has. Gives whether what becomes of those loads is written down. Throws when the
    /// facts cannot be read.
    @discardableResult
    package func recover() throws -> Bool {
        self.hasRecovered = true
        self.findEngines()
        self.observed.facts = try self.ports.store.facts()
        self.book = StatusBook(conditions: try self.ports.store.conditions())
        self.takeBackRolloutsFromTheFuture()
        let unfinished = try self.ports.store.unfinishedLoads()
        for instance in unfinished { self.judge(instance, amongst: unfinished.count) }
        return self.writePending()
    }

    /// Decides what becomes of an instance whose load the last process did not end.
    private func judge(_ instance: InstanceKey, amongst count: Int) {
        self.pending.append(.endLoading(instance))
        let ended = "the last process ended while it loaded instance \(instance)"
        switch self.lastEnd {
        case .crashed: self.judgeCrash(instance, amongst: count, ended)
        case .shortOfMemory: self.judgeCutShort(instance, amongst: count, ended)
        case .fromOutside: self.note(.normal, "LoadCutShort", "\(ended), from outside; it is loaded again")
        }
    }

    private func judgeCrash(_ instance: InstanceKey, amongst count: Int, _ ended: String) {
        if count == 1 {
            self.hold(instance, "\(ended); it is not loaded again until 'martlet retry' says so")
        } else {
            // Only one of them can have done it: the innocent must not stay down with it.
            self.queue.suspects.insert(instance)
            self.note(
                .warning,
                "CrashedWhileLoading",
                "\(ended) and others; they are loaded one by one now, to find out which of them it was"
            )
        }
    }

    /// Want of memory is nobody's fault, until it goes on happening: a file that takes more memory than there is has
    /// the kernel end every process that loads it.
    private func judgeCutShort(_ instance: InstanceKey, amongst count: Int, _ ended: String) {
        let starts = (self.facts.cutShort[instance] ?? 0) + 1
        if starts >= Reconciler.cutShortLimit, count == 1 {
            self.apply(.endLoading(instance))
            self.hold(
                instance,
                "\(starts) processes in a row ended for want of memory while they loaded instance \(instance); it is not "
                    + "loaded again until 'martlet retry' says so"
            )
            return
        }
        self.apply(.loadCutShort(instance, starts: starts))
        self.pending.append(.loadCutShort(instance, starts: starts))
        let isSuspect = starts > 1
        if isSuspect { self.queue.suspects.insert(instance) }
        self.note(
            .normal,
            "LoadCutShort",
            "\(ended), for want of memory perhaps; it is loaded again" + (isSuspect ? ", alone (time \(starts))" : "")
        )
    }

    private func hold(_ instance: InstanceKey, _ message: String) {
        self.apply(.crashed(instance))
        self.pending.append(.crashed(instance))
        self.note(.warning, "CrashedWhileLoading", message)
    }

    /// What began after now, by a clock that was set back meanwhile, would wait for that long.
    private func takeBackRolloutsFromTheFuture() {
        let now = self.ports.wallClock.now()
        for (variant, facts) in self.facts.variants {
            guard let rollout = facts.rollout, rollout.startedAt > now else { continue }
            self.observed.facts.variants[variant]?.rollout?.startedAt = now
        }
    }

    /// Keeps waits as long as they were when somebody sets the wall clock.
    func noteClock() {
        guard let jump = self.clockWatch.jump(at: self.ports.wallClock.now()) else { return }
        self.queue.shift(byMilliseconds: jump)
        self.sourceRetry.shift(byMilliseconds: jump)
        // Slept for by the old time.
        self.wakeUpAt = nil
        self.changes.isEverything = true
        for (variant, facts) in self.facts.variants {
            guard let rollout = facts.rollout else { continue }
            self.observed.facts.variants[variant]?.rollout?.startedAt = rollout.startedAt.advanced(byMilliseconds: jump)
        }
        self.note(
            .warning,
            "ClockSet",
            "the wall clock was set \(jump < 0 ? "back" : "forward") by \(abs(jump) / 1000) s; waits go on as they were"
        )
    }
}
