internal import Encodings

/// One pass over one file: what the sections are read with, and the mistakes found on the way.
final class Reading {
    /// A mistake, and whether it is only that the environment lacks something.
    struct Problem {
        let error: ConfigError
        let isMissingVariable: Bool
    }

    let file: String
    let environment: [String: String]
    let knownProviders: [ProviderKeys]
    /// What the programs for secrets run in.
    let commands: CommandScope
    private(set) var problems: [Problem] = []

    init(file: String, environment: [String: String], knownProviders: [ProviderKeys], commands: CommandScope) {
        self.file = file
        self.environment = environment
        self.knownProviders = knownProviders
        self.commands = commands
    }

    func report(_ message: String, at line: Int, key: String, isMissingVariable: Bool = false) {
        let error = ConfigError(file: file, line: line, key: key, message: message)
        problems.append(Problem(error: error, isMissingVariable: isMissingVariable))
    }

    func report(_ others: [Problem]) {
        problems += others
    }

    /// What to say after `unknown …`, as long as the report still has room: in a broken file the search would cost
    /// more than it helps.
    func hint(for name: String, among candidates: @autoclosure () -> [String]) -> String {
        guard problems.count < ConfigErrors.maximumCount else { return "" }
        return NearestName.hint(for: name, among: candidates())
    }

    /// Runs `body` and keeps what it reports apart, for sections that may be left out.
    func capturing<T>(_ body: () -> T) -> (value: T, problems: [Problem]) {
        let before = problems
        problems = []
        defer { problems = before }
        let value = body()
        return (value, problems)
    }
}
