import Config

/// The daemon's command line. Its few flags are read here and not by a library: a parser that works by reflection
/// would be a third of the daemon's resident memory for the whole of its life.
struct Arguments: Equatable {
    /// What the process is to do.
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

        A generation gateway: any language model, over a Unix or TCP socket.

          --config FILE       the configuration
          --listen ADDR       listen here instead of at server.listen of the configuration, else where clients connect
                              by default: unix:PATH or tcp:HOST:PORT; may be given several times
          --log-level LEVEL   trace, debug, info, notice, warning, error or critical
          --log-format FORM   text or json
          check               validate the configuration: exit 0 and a summary, or exit 78 and what is wrong where
          schema              print the JSON Schema of the configuration, for editors; with --markdown the reference
                              of all keys (docs/configuration.md)

        SIGTERM and SIGINT drain and stop; before the daemon is ready they stop it at once, and so does a second
        one at any time.

        SIGHUP reads the configuration again: models, routes, credentials and who may call are taken over, and the log
        says which changed. These take a restart, and the log warns where one changed:
          \(Configuration.startOnlyKeys.joined(separator: ", "))

        Exit codes: 0 stopped as asked, 1 stopped by a second signal, 64 wrong usage, 78 a configuration or an address
        that is refused.
        """

    /// The keys of the file that the command line has the word over.
    var overriddenKeys: [String] {
        (listen.isEmpty ? [] : ["server.listen"]) + (logLevel == nil ? [] : ["log.level"])
            + (logFormat == nil ? [] : ["log.format"])
    }

    /// A command line that cannot be understood, and why.
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
                guard let next = rest.popFirst() else { throw UsageError(description: "\(word) needs a value") }
                return next
            }
            switch parts[0] {
            case "--help", "-h": action = .help
            case "--version": action = .version
            case "--markdown" where action == .schema: isMarkdown = true
            case "--config": config = try value()
            case "--listen":
                listen.append(try value())
                // Several addresses may follow one flag.
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
            throw UsageError(description: "--config FILE is missing")
        }
    }
}
