internal import Encodings

/// One pass over one file: the inputs for reading its sections, and the errors found so far.
final class Reading {
    /// An error, and whether its only cause is a missing environment variable.
    struct Problem {
        let error: ConfigError
        let isMissingVariable: Bool
    }

    let file: String
    let environment: [String: String]
    let knownProviders: [ProviderKeys]
    /// The scope in which commands for secrets run.
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

    /// The hint after `unknown …`; empty once the report is full, because the search would cost more than it helps.
    func hint(for name: String, among candidates: @autoclosure () -> [String]) -> String {
        guard problems.count < ConfigErrors.maximumCount else { return "" }
        return NearestName.hint(for: name, among: candidates())
    }

    /// Runs `body` and returns its errors separately, for sections that may be left out.
    func capturing<T>(_ body: () -> T) -> (value: T, problems: [Problem]) {
        let before = problems
        problems = []
        defer { problems = before }
        let value = body()
        return (value, problems)
    }
}
