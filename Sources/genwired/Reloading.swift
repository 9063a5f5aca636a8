import Config
import Daemon
import Logging

/// Applies reloaded configurations to the runtime and logs the result.
struct Reloading {
    /// Maximum number of changes listed in one log line.
    private static let listedChanges = 20

    private let arguments: Arguments
    private let started: Configuration
    /// The configuration in effect.
    private(set) var current: Configuration

    /// - Parameter started: the configuration at startup; `startOnlyKeys` are compared with it.
    init(_ arguments: Arguments, started: Configuration) {
        self.arguments = arguments
        self.started = started
        current = started
    }

    /// The configuration file.
    var path: String { arguments.config }

    /// Applies the configuration that was read. If it is invalid or cannot be applied, the current one stays in effect.
    mutating func apply(_ result: Result<Configuration, ConfigErrors>, _ runtime: Runtime, _ logger: Logger) {
        do {
            let fresh = try result.get()
            try runtime.reload(fresh)
            let changes = fresh.changes(since: current)
            current = fresh
            logger.notice("configuration reloaded", metadata: ["changes": "\(Self.list(changes))"])
            let ignored = fresh.keysForRestart(since: started).filter { !arguments.overriddenKeys.contains($0) }
            guard !ignored.isEmpty else { return }
            logger.warning(
                "changed keys require a restart; the daemon keeps the old values until then",
                metadata: ["keys": "\(ignored.joined(separator: ", "))"])
        } catch {
            logger.error("reload failed; the current configuration stays in effect", metadata: ["reason": "\(error)"])
        }
    }

    private static func list(_ changes: [String]) -> String {
        guard !changes.isEmpty else { return "none" }
        let more = changes.count > listedChanges ? ["\(changes.count - listedChanges) more"] : []
        return (changes.prefix(listedChanges) + more).joined(separator: ", ")
    }
}
