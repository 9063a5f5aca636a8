/// The `log` section.
public struct LogConfiguration: Sendable, Equatable {
    /// The levels, the most verbose first.
    public enum Level: String, Sendable, CaseIterable {
        /// Everything.
        case trace
        /// Details for troubleshooting.
        case debug
        /// Start, stop, changes, and one line per call.
        case info
        /// Unusual but harmless events.
        case notice
        /// Problems that were handled.
        case warning
        /// Failures.
        case error
        /// Failures that stop the service.
        case critical
    }

    /// How a line looks.
    public enum Format: String, Sendable, CaseIterable {
        /// For people.
        case text
        /// One JSON object per line.
        case json
    }

    /// The lowest severity that is logged.
    public var level = Level.info
    /// How a line looks.
    public var format = Format.text

    /// The defaults.
    public init() {}
}

extension LogConfiguration: Keyed {
    static let standard = LogConfiguration()

    static let keys: [Key<LogConfiguration>] = [
        Key("level", \.level, .choice, reload: .restart, "The lowest severity that is logged."),
        Key("format", \.format, .choice, reload: .restart, "Plain text, or one JSON object per line."),
    ]
}
