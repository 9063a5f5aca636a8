import CLinux
import Config
import Daemon
import Generation
import Glibc
import Logging

/// Entry point of the `genwired` daemon.
@main
struct Genwired {
    static func main() async {
        // If standard error were closed, a socket could get its number and receive the log.
        _ = gw_open_standard_descriptors()
        let arguments: Arguments
        do throws(Arguments.UsageError) {
            arguments = try Arguments(CommandLine.arguments.dropFirst())
        } catch {
            writeError("genwired: \(error.description)\n\n\(Arguments.usage)")
            exit(64)
        }
        switch arguments.action {
        case .help: print(Arguments.usage)
        case .version: print(genwireVersion)
        case .check: check(arguments)
        case .schema: print(arguments.isMarkdown ? Loading.reference : Loading.schema, terminator: "")
        case .serve: await serve(arguments)
        }
    }

    /// Runs `genwired check`: exits with 78 if the configuration is invalid.
    private static func check(_ arguments: Arguments) {
        let signals = Events.endAtFirstSignal()
        defer { withExtendedLifetime(signals) {} }
        do throws(ConfigErrors) {
            let configuration = try Loading.configuration(arguments.config)
            _ = makeLogger(arguments, configuration)
            let warnings = try Loading.validate(configuration, file: arguments.config, listen: arguments.listen)
            Events.finish()
            for warning in warnings { writeError(warning) }
            print(configuration.summary())
        } catch {
            Events.finish()
            writeError("\(error)")
            exit(78)
        }
    }

    private static func serve(_ arguments: Arguments) async {
        // Before any secret is read into memory.
        _ = gw_disable_core_dumps()
        signal(SIGPIPE, SIG_IGN)
        let events = Events()
        let configuration = await firstConfiguration(arguments, events)
        let logger = makeLogger(arguments, configuration)
        do {
            let runtime = try await Runtime.start(configuration, logger: logger)
            // Covers inherited descriptors and the sockets that libcurl opens for itself.
            _ = gw_close_on_exec_from(3)
            let bound = try await listen(
                runtime, at: arguments.listen.isEmpty ? configuration.server.listen : arguments.listen, events)
            writeError("genwired ready on \(bound.joined(separator: ", "))")
            await run(runtime, events, logger, Reloading(arguments, started: configuration))
        } catch {
            writeError("genwired: \(error)")
            exit(78)
        }
    }

    /// Reads the configuration at startup. SIGTERM and SIGINT exit at once here, since there is nothing to drain.
    private static func firstConfiguration(_ arguments: Arguments, _ events: Events) async -> Configuration {
        _ = events.load(arguments.config)
        var isReloadPending = false
        while true {
            switch await events.next() {
            case .hangUp: isReloadPending = true
            case .loaded(.success(let configuration)):
                // The file may have changed after it was read.
                if isReloadPending { events.post(.hangUp) }
                return configuration
            case .loaded(.failure(let errors)):
                writeError("\(errors)")
                exit(78)
            case .listening: break  // not yet
            case .stop: stopEarly()
            }
        }
    }

    /// Listens at every address and returns the bound addresses. SIGTERM and SIGINT exit at once during name
    /// resolution, which may take minutes. Unix sockets are bound last, so that such an exit leaves no socket file.
    private static func listen(
        _ runtime: Runtime, at addresses: [String], _ events: Events
    ) async throws(Runtime.StartError) -> [String] {
        let network = addresses.filter { $0.hasPrefix("tcp:") }
        guard !network.isEmpty else { return try await runtime.listen(at: addresses) }
        events.listen(runtime, at: network)
        var bound = try await whenListening(events)
        let local = addresses.filter { !$0.hasPrefix("tcp:") }
        if !local.isEmpty { bound += try await runtime.listen(at: local) }
        return bound
    }

    private static func whenListening(_ events: Events) async throws(Runtime.StartError) -> [String] {
        var isReloadPending = false
        while true {
            switch await events.next() {
            case .hangUp: isReloadPending = true
            case .loaded: break  // already handled
            case .listening(let result):
                if isReloadPending { events.post(.hangUp) }
                return try result.get()
            case .stop: stopEarly()
            }
        }
    }

    private static func stopEarly() -> Never {
        writeError("genwired: stopped before it was ready")
        CommandScope.endAll()
        _exit(0)
    }

    /// Serves until SIGTERM or SIGINT, then drains.
    private static func run(
        _ runtime: Runtime, _ events: Events, _ logger: Logger, _ reloading: Reloading
    ) async {
        var reloading = reloading
        var loading: CommandScope?
        var isReloadPending = false
        serving: while true {
            switch await events.next() {
            case .hangUp where loading != nil: isReloadPending = true
            case .hangUp: loading = events.load(reloading.path)
            case .loaded(let result):
                reloading.apply(result, runtime, logger)
                loading = isReloadPending ? events.load(reloading.path) : nil
                isReloadPending = false
            case .listening: break  // already handled
            case .stop: break serving
            }
        }
        loading?.end()
        let drainSeconds = reloading.current.server.drainTimeout
        logger.notice("draining", metadata: ["seconds": "\(drainSeconds)"])
        await runtime.drain(seconds: drainSeconds)
        CommandScope.endAll()
        Events.finish()
        logger.notice("stopped")
    }

    private static func makeLogger(_ arguments: Arguments, _ configuration: Configuration) -> Logger {
        let levelName = arguments.logLevel ?? configuration.log.level.rawValue
        let formatName = arguments.logFormat ?? configuration.log.format.rawValue
        guard let level = Logger.Level(rawValue: levelName) else {
            writeError(
                "genwired: --log-level: invalid value '\(levelName)'; "
                    + "use trace, debug, info, notice, warning, error or critical")
            exit(64)
        }
        guard let format = StandardErrorLog.Format(rawValue: formatName) else {
            writeError("genwired: --log-format: invalid value '\(formatName)'; use text or json")
            exit(64)
        }
        return Logger(label: "genwired") { StandardErrorLog(label: $0, format: format, level: level) }
    }
}

/// Writes `text` and a newline to standard error.
func writeError(_ text: String) {
    var line = text + "\n"
    line.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
