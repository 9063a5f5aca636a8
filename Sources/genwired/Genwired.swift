import CLinux
import Config
import Genwire
import Glibc
import Logging

/// The daemon.
@main
struct Genwired {
    static func main() async {
        // A socket with the number of standard error would send the log to a caller.
        _ = gw_open_standard_descriptors()
        let arguments: Arguments
        do throws(Arguments.UsageError) {
            arguments = try Arguments(CommandLine.arguments.dropFirst())
        } catch {
            complain("genwired: \(error.description)\n\n\(Arguments.usage)")
            exit(64)
        }
        switch arguments.action {
        case .help: print(Arguments.usage)
        case .version: print(genwireVersion)
        case .check: check(arguments)
        case .serve: await serve(arguments)
        }
    }

    /// Validates the configuration.
    private static func check(_ arguments: Arguments) {
        let configuration = load(arguments)
        _ = makeLogger(arguments, configuration)
        do throws(ConfigErrors) {
            try Loading.validate(configuration, file: arguments.config, listen: arguments.listen)
        } catch {
            complain("\(error)")
            exit(78)
        }
        print(configuration.summary())
    }

    private static func load(_ arguments: Arguments) -> Configuration {
        // Before anything secret is in memory.
        _ = gw_disable_core_dumps()
        do {
            return try Loading.configuration(arguments.config)
        } catch {
            complain("\(error)")
            exit(78)
        }
    }

    private static func serve(_ arguments: Arguments) async {
        signal(SIGPIPE, SIG_IGN)
        let signals = Signals([SIGTERM, SIGINT, SIGHUP])
        let configuration = load(arguments)
        let logger = makeLogger(arguments, configuration)
        do {
            let runtime = try await Runtime.start(configuration, logger: logger)
            // What this process inherited, and the sockets that libcurl opens for itself.
            _ = gw_close_on_exec_from(3)
            let bound = try await runtime.listen(
                at: Loading.listenAddresses(configuration, instead: arguments.listen))
            complain("genwired ready on \(bound.joined(separator: ", "))")
            await run(runtime, signals, logger, Reloading(arguments, started: configuration))
        } catch {
            complain("genwired: \(error)")
            exit(78)
        }
    }

    private static func run(
        _ runtime: Runtime, _ signals: Signals, _ logger: Logger, _ reloading: Reloading
    ) async {
        var reloading = reloading
        for await signal in signals.stream {
            guard signal == SIGHUP else { break }
            reloading.reload(runtime, logger)
        }
        let drainSeconds = reloading.current.server.drainTimeout
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

    private static func makeLogger(_ arguments: Arguments, _ configuration: Configuration) -> Logger {
        let levelName = arguments.logLevel ?? configuration.log.level.rawValue
        let formatName = arguments.logFormat ?? configuration.log.format.rawValue
        guard let level = Logger.Level(rawValue: levelName) else {
            complain("genwired: --log-level \(levelName): use trace, debug, info, notice, warning, error or critical")
            exit(64)
        }
        guard let format = StandardErrorLog.Format(rawValue: formatName) else {
            complain("genwired: --log-format \(formatName): use text or json")
            exit(64)
        }
        return Logger(label: "genwired") { StandardErrorLog(label: $0, format: format, level: level) }
    }
}

/// A line to standard error.
func complain(_ text: String) {
    var line = text + "\n"
    line.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
