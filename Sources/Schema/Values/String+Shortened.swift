extension String {
    /// The text as messages quote it: what a caller sent may be long, and belongs to no answer or log in full.
    package var shortened: String {
        let limit = 100
        guard self.utf8.count > limit else { return self }
        // Code points, since a character may be of any number of them.
        let head = self.unicodeScalars.prefix(limit)
        return head.endIndex < self.endIndex ? String(head) + "…" : self
    }
}
