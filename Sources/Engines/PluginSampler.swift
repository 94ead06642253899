package import Planning

/// A sampler of a plugin engine. Used on its session's thread; it may be dropped on any.
package final class PluginSampler: TokenSampler {
    private let session: PluginSession
    private let sampler: OpaquePointer

    init(session: PluginSession, sampler: OpaquePointer) {
        self.session = session
        self.sampler = sampler
    }

    deinit {
        self.session.discard(self.sampler)
    }

    package func sample(at index: Int) throws -> Token {
        try self.session.sample(self.sampler, at: index)
    }
}
