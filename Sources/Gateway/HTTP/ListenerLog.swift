internal import Logging

/// What a listener's library logs, but for the errors that are none: that it was told to stop, or was cut off.
///
/// Whatever else is logged by way of the listener passes.
struct ListenerLog: LogHandler {
    private var base: any LogHandler
    private let isStopping: @Sendable () -> Bool

    init(_ base: any LogHandler, isStopping: @escaping @Sendable () -> Bool) {
        self.base = base
        self.isStopping = isStopping
    }

    var logLevel: Logger.Level {
        get { self.base.logLevel }
        set { self.base.logLevel = newValue }
    }

    var metadata: Logger.Metadata {
        get { self.base.metadata }
        set { self.base.metadata = newValue }
    }

    var metadataProvider: Logger.MetadataProvider? {
        get { self.base.metadataProvider }
        set { self.base.metadataProvider = newValue }
    }

    /// The library's own number of each request is left out: what is logged names requests by `x-request-id`, and to
    /// write down a number for every request costs more than to route it.
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.base[metadataKey: key] }
        set { if key != "hb.request.id" { self.base[metadataKey: key] = newValue } }
    }

    func log(event: LogEvent) {
        let isListeners = event.source == "HummingbirdCore" && event.level >= .error
        guard !isListeners || !(Task.isCancelled || self.isStopping()) else { return }
        self.base.log(event: event)
    }
}
