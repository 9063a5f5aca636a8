import Config

/// The daemon's command line. Parsed by hand: a reflection-based argument parser would account for a third of the
/// daemon's resident memory.
struct Arguments: Equatable {
    /// The command to run.
    enum Action: Equatable {
        case serve, check, schema, help, version
    }

    var action = Action.serve
    var config = ""
    var isMarkdown = false
    var listen: [String] = []
    var logLevel: String?
    var logFormat: String?

    static let usage = """
        usage: genwired --config FILE [--listen ADDR …] [--log-level LEVEL] [--log-format text|json]
               genwired check --config FILE
               genwired schema [--markdown]
               genwired --help | --version

        A generation gateway: serves language models over a Unix or TCP socket.

          --config FILE       the configuration file
          --listen ADDR       address to listen on: unix:PATH or tcp:HOST:PORT; may be repeated. Overrides
                              server.listen; without either, the default address of clients is used
          --log-level LEVEL   trace, debug, info, notice, warning, error or critical
          --log-format FORM   text or json
          check               validate the configuration: print a summary and exit 0, or print all errors with their
                              line numbers and exit 78
          schema              print the JSON Schema of the configuration; with --markdown, the reference of all keys
                              (docs/configuration.md)

        On SIGTERM or SIGINT, the daemon drains and stops; before it is ready, it stops at once. A second signal stops
        it at once at any time.

        On SIGHUP, the daemon reloads models, routes, credentials and access rules from the configuration, and logs
        the changes. Changes to these keys take effect after a restart; the daemon logs a warning:
          \(Configuration.startOnlyKeys.joined(separator: ", "))

        Exit codes: 0 normal stop, 1 stopped by a second signal, 64 usage error, 78 invalid configuration or unusable
        address.
        """

    /// The configuration keys that flags override.
    var overriddenKeys: [String] {
        (listen.isEmpty ? [] : ["server.listen"]) + (logLevel == nil ? [] : ["log.level"])
            + (logFormat == nil ? [] : ["log.format"])
    }

    /// Why a command line cannot be parsed.
    struct UsageError: Error {
        let description: String
    }

    init(_ words: some Sequence<String>) throws(UsageError) {
        var rest = Array(words)[...]
        let actions: [String: Action] = ["serve": .serve, "check": .check, "schema": .schema]
        if let first = rest.first, let named = actions[first] {
            action = named
            rest = rest.dropFirst()
        }
        while let word = rest.popFirst() {
            // --name value and --name=value
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            func value() throws(UsageError) -> String {
                if parts.count == 2 { return parts[1] }
                guard let next = rest.popFirst() else { throw UsageError(description: "\(word) requires a value") }
                return next
            }
            switch parts[0] {
            case "--help", "-h": action = .help
            case "--version": action = .version
            case "--markdown" where action == .schema: isMarkdown = true
            case "--config": config = try value()
            case "--listen":
                listen.append(try value())
                // One flag accepts several addresses.
                while parts.count == 1, let next = rest.first, next.hasPrefix("unix:") || next.hasPrefix("tcp:") {
                    listen.append(next)
                    rest = rest.dropFirst()
                }
            case "--log-level": logLevel = try value()
            case "--log-format": logFormat = try value()
            default: throw UsageError(description: "unknown argument '\(word)'")
            }
        }
        if action == .serve || action == .check, config.isEmpty {
            throw UsageError(description: "--config FILE is required")
        }
    }
}
