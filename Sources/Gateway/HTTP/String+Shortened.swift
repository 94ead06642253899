extension String {
    /// The text as messages quote it: what a caller sent may be long, and belongs to no answer or log in full.
    var shortened: String {
        let limit = 100
        guard self.utf8.count > limit else { return self }
        let head = self.prefix(limit)
        return head.endIndex < self.endIndex ? head + "…" : self
    }
}
