internal import Glibc
package import Logging

/// Writes log lines to standard error, as text or JSON, with one `write` per line.
///
/// Text lines have no timestamp if standard error is connected to systemd's journal (`JOURNAL_STREAM` is set), which
/// records its own.
package struct StandardErrorLog: LogHandler {
    /// The format of log lines.
    package enum Format: String, Sendable, CaseIterable {
        /// `2026-01-31T12:00:00.123Z info genwired: message key=value`
        case text
        /// One JSON object with `time`, `level`, `label`, `message` and the metadata.
        case json
    }

    let form: LogForm
    /// Metadata that is added to every line.
    package var metadata: Logger.Metadata = [:]
    /// The lowest level that the logger passes on.
    package var logLevel: Logger.Level

    /// Creates a handler for the logger named `label`.
    package init(label: String, format: Format, level: Logger.Level) {
        form = LogForm(label: label, isJSON: format == .json, showsTime: getenv("JOURNAL_STREAM") == nil)
        logLevel = level
    }

    /// Gets or sets one key of `metadata`.
    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one line; metadata keys are sorted, and those of the event override the handler's.
    package func log(event: LogEvent) {
        var all = metadata
        if let more = event.metadata { all.merge(more) { _, new in new } }
        var line: [UInt8] = []
        form.begin("\(event.level)", "\(event.message)", in: &line)
        for (key, value) in all.sorted(by: { $0.key < $1.key }) { form.add(key, "\(value)", to: &line) }
        form.end(&line)
        line.withUnsafeBytes { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
