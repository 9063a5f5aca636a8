import ArgumentParser
import CLinux
import Config
import Genwire
import Glibc
import Logging

/// The daemon.
@main
struct Genwired: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "genwired",
        abstract: "A generation gateway: any language model, over a Unix or TCP socket.",
        version: genwireVersion,
        subcommands: [Serve.self, Check.self],
        defaultSubcommand: Serve.self)
}

/// Runs the daemon in the foreground.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve until told to stop (the default).")

    @Option(help: "The configuration file.") var config: String
    @Option(help: "An address to listen at instead of the configured ones: unix:PATH or tcp:HOST:PORT.")
    var listen: [String] = []
    @Option(help: "trace, debug, info, notice, warning, error or critical.") var logLevel: String?
    @Option(help: "text or json.") var logFormat: String?

    func run() async throws {
        // Before anything secret is in memory.
        _ = gw_disable_core_dumps()
        signal(SIGPIPE, SIG_IGN)
        let loaded = try Loading.configuration(config)
        let logger = try makeLogger(loaded)
        let addresses = listen.isEmpty ? (loaded.server.listen.isEmpty ? [DefaultAddress.text] : loaded.server.listen) : listen
        let signals = Signals([SIGTERM, SIGINT, SIGHUP])
        do {
            let runtime = try await Runtime.start(loaded, logger: logger)
            let bound = try await runtime.listen(at: addresses)
            complain("genwired ready on \(bound.joined(separator: ", "))")
            await serve(runtime, signals, logger, drainSeconds: loaded.server.drainTimeout)
        } catch {
            complain("genwired: \(error)")
            throw ExitCode(78)
        }
    }

    private func serve(_ runtime: Runtime, _ signals: Signals, _ logger: Logger, drainSeconds: Double) async {
        for await signal in signals.stream {
            guard signal == SIGHUP else { break }
            do {
                try runtime.reload(try Loading.configuration(config))
                logger.notice("configuration reloaded")
            } catch {
                logger.error("the configuration was not reloaded; the old one stays", metadata: ["reason": "\(error)"])
            }
        }
        logger.notice("draining", metadata: ["seconds": "\(drainSeconds)"])
        // A second signal ends the wait.
        let stream = signals.stream
        let second = Task {
            for await signal in stream where signal != SIGHUP { _exit(1) }
        }
        await runtime.drain(seconds: drainSeconds)
        second.cancel()
        logger.notice("stopped")
    }

    private func makeLogger(_ configuration: Configuration) throws -> Logger {
        let levelName = logLevel ?? configuration.log.level.rawValue
        guard let level = Logger.Level(rawValue: levelName) else {
            throw ValidationError("--log-level \(levelName): use trace, debug, info, notice, warning, error or critical")
        }
        let formatName = logFormat ?? configuration.log.format.rawValue
        guard let format = StandardErrorLog.Format(rawValue: formatName) else {
            throw ValidationError("--log-format \(formatName): use text or json")
        }
        return Logger(label: "genwired") { StandardErrorLog(label: $0, format: format, level: level) }
    }
}

/// Says whether a configuration is right.
struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Validate a configuration: exit 0 and a summary, or exit 78 and what is wrong where.")

    @Option(help: "The configuration file.") var config: String

    func run() async throws {
        let loaded = try Loading.configuration(config)
        do {
            try Loading.validate(loaded)
        } catch {
            complain("\(config): \(error)")
            throw ExitCode(78)
        }
        print(loaded.summary())
    }
}

/// A line to standard error.
func complain(_ text: String) {
    var line = text + "\n"
    line.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
