package import Planning

extension RecordFigures {
    /// The figures of the records as a scrape shows them.
    package var families: [MetricFamily] {
        [
            MetricFamily(
                "martlet_records_queued_bytes",
                "About as many bytes of records wait in memory to be written.",
                .gauge,
                Double(self.queuedBytes)
            ),
            MetricFamily("martlet_records_queued", "Records that wait.", .gauge, Double(self.queuedRecords)),
            MetricFamily("martlet_records_size_bytes", "Of the database's files.", .gauge, Double(self.size)),
            MetricFamily("martlet_records_written_total", "Records written.", .counter, Double(self.writtenRecords)),
            MetricFamily(
                "martlet_records_written_bytes_total",
                "Bytes of records written, as JSON.",
                .counter,
                Double(self.writtenBytes)
            ),
            MetricFamily(
                "martlet_records_waits_total",
                "Requests that waited for room in the queue, or for the disk.",
                .counter,
                Double(self.waits)
            ),
            MetricFamily(
                "martlet_records_refused_total",
                "Requests that were refused since their records could not be written.",
                .counter,
                Double(self.refused)
            ),
            MetricFamily(
                "martlet_records_failures_total",
                "Attempts to write that failed.",
                .counter,
                Double(self.failures)
            ),
            MetricFamily(
                "martlet_records_pruned_total",
                "Records that were removed since their time was over.",
                .counter,
                Double(self.pruned)
            ),
        ]
    }
}
