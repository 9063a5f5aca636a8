/// An error in a configuration file.
public struct ConfigError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The file as the caller named it.
    public let file: String
    /// The line, counted from 1; 0 if the error concerns the whole file.
    public let line: Int
    /// The dotted path of the key, for example `models.gemini.config.model_name`; empty if no single key is at fault.
    public let key: String
    /// What is wrong and what to do; never a secret and never a value from the environment.
    public let message: String

    /// Creates an error for one place in the file.
    public init(file: String, line: Int, key: String, message: String) {
        self.file = file
        self.line = line
        self.key = key
        self.message = message
    }

    /// `FILE:LINE: KEY: MESSAGE`, without the parts that are unknown.
    public var description: String {
        var text = file
        if line > 0 { text += ":\(line)" }
        if !key.isEmpty { text += ": \(key)" }
        return text + ": \(message)"
    }
}

/// All errors found in a configuration file, sorted by line.
public struct ConfigErrors: Error, Sendable, Equatable, CustomStringConvertible {
    /// The errors: at least one, at most `maximumCount`, followed by the number of omitted ones if there were more.
    public let errors: [ConfigError]

    /// Maximum number of errors that are kept, so that a badly broken file does not produce an endless report.
    public static let maximumCount = 100

    /// Sorts the errors by line and keeps the first `maximumCount`.
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

    /// One line per error.
    public var description: String {
        errors.map(\.description).joined(separator: "\n")
    }
}
