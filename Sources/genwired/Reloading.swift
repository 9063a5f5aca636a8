import Config
import Daemon
import Logging

/// Takes over the configuration file again and again, and says what came of it.
struct Reloading {
    /// The most changes that one line of the log lists.
    private static let listedChanges = 20

    private let arguments: Arguments
    private let started: Configuration
    /// The configuration that counts now.
    private(set) var current: Configuration

    /// - Parameter started: what the daemon was started with.
    init(_ arguments: Arguments, started: Configuration) {
        self.arguments = arguments
        self.started = started
        current = started
    }

    /// The configuration file.
    var path: String { arguments.config }

    /// Takes over what was read, as far as it can be; where it cannot be, nothing changes.
    mutating func takeOver(_ result: Result<Configuration, ConfigErrors>, _ runtime: Runtime, _ logger: Logger) {
        do {
            let fresh = try result.get()
            try runtime.reload(fresh)
            let changes = fresh.changes(since: current)
            current = fresh
            logger.notice("configuration reloaded", metadata: ["changes": "\(Self.list(changes))"])
            let ignored = fresh.keysForRestart(since: started).filter { !arguments.overriddenKeys.contains($0) }
            guard !ignored.isEmpty else { return }
            logger.warning(
                "changed keys that take a restart; until then the daemon goes on as it was started",
                metadata: ["keys": "\(ignored.joined(separator: ", "))"])
        } catch {
            logger.error("the configuration was not reloaded; the old one stays", metadata: ["reason": "\(error)"])
        }
    }

    private static func list(_ changes: [String]) -> String {
        guard !changes.isEmpty else { return "none" }
        let more = changes.count > listedChanges ? ["\(changes.count - listedChanges) more"] : []
        return (changes.prefix(listedChanges) + more).joined(separator: ", ")
    }
}
