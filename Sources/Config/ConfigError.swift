/// One mistake in a configuration file.
public struct ConfigError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The file as the caller named it.
    public let file: String
    /// The line, counted from 1; 0 where the file as a whole is meant.
    public let line: Int
    /// The dotted path of the key, for example `models.gemini.config.model_name`; empty where no key is to blame.
    public let key: String
    /// What is wrong and what to do; never a secret and never a value from the environment.
    public let message: String

    /// A mistake at a place.
    public init(file: String, line: Int, key: String, message: String) {
        self.file = file
        self.line = line
        self.key = key
        self.message = message
    }

    /// `FILE:LINE: KEY: what is wrong`, without the parts that are not known.
    public var description: String {
        var text = file
        if line > 0 { text += ":\(line)" }
        if !key.isEmpty { text += ": \(key)" }
        return text + ": \(message)"
    }
}

/// Every mistake that was found in a configuration file, in the order of the lines.
public struct ConfigErrors: Error, Sendable, Equatable, CustomStringConvertible {
    /// The mistakes; at least one, at most `maximumCount` and a last one that says how many were left out.
    public let errors: [ConfigError]

    /// How many mistakes are kept; a broken file must not make an endless report.
    public static let maximumCount = 100

    /// Sorts the mistakes by line and keeps the first `maximumCount`.
    public init(_ errors: [ConfigError]) {
        let sorted = errors.enumerated()
            .sorted { ($0.element.line, $0.offset) < ($1.element.line, $1.offset) }
            .map(\.element)
        guard let last = sorted.last, sorted.count > Self.maximumCount else {
            self.errors = sorted
            return
        }
        let left = ConfigError(
            file: last.file, line: 0, key: "", message: "\(sorted.count - Self.maximumCount) more mistakes")
        self.errors = sorted.prefix(Self.maximumCount) + [left]
    }

    /// One line a mistake.
    public var description: String {
        errors.map(\.description).joined(separator: "\n")
    }
}
