internal import Logging
internal import Synchronization

/// The connections of all listeners, by the listener's name.
package final class ListenerConnections: Sendable {
    private let listeners = Mutex<[String: OpenConnections]>([:])

    package init() {}

    /// Counts those of one more listener.
    func add(_ listener: String, limit: Int, logger: Logger) -> OpenConnections {
        let connections = OpenConnections(limit: limit, logger: logger)
        self.listeners.withLock { $0[listener] = connections }
        return connections
    }

    /// The counts as a scrape shows them.
    package var families: [MetricFamily] {
        let listeners = self.listeners.withLock { $0 }.sorted { $0.key < $1.key }
        func samples(_ value: (OpenConnections) -> Int) -> [MetricFamily.Sample] {
            listeners.map { listener, connections in
                MetricFamily.Sample(
                    labels: [MetricFamily.Label("listener", listener)],
                    value: Double(value(connections))
                )
            }
        }
        return [
            MetricFamily(
                name: "martlet_connections",
                help: "Connections that are open now.",
                kind: .gauge,
                samples: samples(\.count)
            ),
            MetricFamily(
                name: "martlet_connections_refused_total",
                help: "Connections that were one too many.",
                kind: .counter,
                samples: samples(\.refusals)
            ),
        ]
    }
}
