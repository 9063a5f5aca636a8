/// The `log` section.
public struct LogConfiguration: Sendable, Equatable {
    /// The levels, the most talkative first.
    public enum Level: String, Sendable, CaseIterable {
        /// Everything.
        case trace
        /// Details, for those who look for a fault.
        case debug
        /// Start, stop, changes, and one line per call.
        case info
        /// What is worth a look.
        case notice
        /// What went wrong and was handled.
        case warning
        /// What failed.
        case error
        /// What stops the service.
        case critical
    }

    /// How a line looks.
    public enum Format: String, Sendable, CaseIterable {
        /// For people.
        case text
        /// One JSON object a line.
        case json
    }

    /// What is logged at least.
    public var level = Level.info
    /// How a line looks.
    public var format = Format.text

    /// The defaults.
    public init() {}
}

extension LogConfiguration: Keyed {
    static let standard = LogConfiguration()

    static let keys: [Key<LogConfiguration>] = [
        Key("level", \.level, .choice, reload: .restart, "The least severe lines that are logged."),
        Key("format", \.format, .choice, reload: .restart, "Lines for people, or one JSON object per line."),
    ]
}
