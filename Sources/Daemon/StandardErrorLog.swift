internal import Glibc
public import Logging

/// Writes log lines to standard error, as text for people or as JSON for machines, one `write` a line.
///
/// Text lines carry no time where systemd's journal reads them, since it keeps its own.
public struct StandardErrorLog: LogHandler {
    /// The form of a line.
    public enum Format: String, Sendable, CaseIterable {
        /// `2026-01-31T12:00:00.123Z info genwired: message key=value`
        case text
        /// One JSON object with `time`, `level`, `label`, `message` and the metadata.
        case json
    }

    private let label: String
    private let format: Format
    private let showsTime: Bool
    /// Part of `LogHandler`.
    public var metadata: Logger.Metadata = [:]
    /// Part of `LogHandler`.
    public var logLevel: Logger.Level

    /// A handler for one logger.
    public init(label: String, format: Format, level: Logger.Level) {
        self.label = label
        self.format = format
        logLevel = level
        showsTime = format == .json || getenv("JOURNAL_STREAM") == nil
    }

    /// Part of `LogHandler`.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Part of `LogHandler`.
    public func log(event: LogEvent) {
        var all = metadata
        if let more = event.metadata { all.merge(more) { _, new in new } }
        let pairs = all.sorted { $0.key < $1.key }
        var line: String
        switch format {
        case .text:
            line =
                (showsTime ? Self.timestamp() + " " : "")
                + "\(event.level) \(label): \(Self.oneLine("\(event.message)"))"
            for (key, value) in pairs { line += " \(key)=\(Self.oneLine("\(value)"))" }
        case .json:
            line =
                "{\"time\":\"\(Self.timestamp())\",\"level\":\"\(event.level)\",\"label\":\(Self.quoted(label)),"
                + "\"message\":\(Self.quoted("\(event.message)"))"
            for (key, value) in pairs { line += ",\(Self.quoted(key)):\(Self.quoted("\(value)"))" }
            line += "}"
        }
        line += "\n"
        line.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    /// UTC, to the millisecond (RFC 3339).
    private static func timestamp() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        gmtime_r(&now.tv_sec, &parts)
        func pad(_ value: Int, _ width: Int = 2) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return
            "\(parts.tm_year + 1900)-\(pad(Int(parts.tm_mon) + 1))-\(pad(Int(parts.tm_mday)))T\(pad(Int(parts.tm_hour)))"
            + ":\(pad(Int(parts.tm_min))):\(pad(Int(parts.tm_sec))).\(pad(now.tv_nsec / 1_000_000, 3))Z"
    }

    /// A vendor's words may hold line ends, which would forge log lines.
    private static func oneLine(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return text }
        return String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
    }

    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            default:
                if scalar.value < 0x20 {
                    let hex = String(scalar.value, radix: 16)
                    out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
                } else {
                    out.unicodeScalars.append(scalar)
                }
            }
        }
        return out + "\""
    }
}
