import CLinux
import Config
import Daemon
import Generation
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
        case .schema: print(arguments.isMarkdown ? Loading.reference : Loading.schema, terminator: "")
        case .serve: await serve(arguments)
        }
    }

    /// Validates the configuration.
    private static func check(_ arguments: Arguments) {
        let signals = Events.endAtFirstSignal()
        defer { withExtendedLifetime(signals) {} }
        do throws(ConfigErrors) {
            let configuration = try Loading.configuration(arguments.config)
            _ = makeLogger(arguments, configuration)
            try Loading.validate(configuration, file: arguments.config, listen: arguments.listen)
            Events.finish()
            print(configuration.summary())
        } catch {
            Events.finish()
            complain("\(error)")
            exit(78)
        }
    }

    private static func serve(_ arguments: Arguments) async {
        // Before anything secret is in memory.
        _ = gw_disable_core_dumps()
        signal(SIGPIPE, SIG_IGN)
        let events = Events()
        let configuration = await firstConfiguration(arguments, events)
        let logger = makeLogger(arguments, configuration)
        do {
            let runtime = try await Runtime.start(configuration, logger: logger)
            // What this process inherited, and the sockets that libcurl opens for itself.
            _ = gw_close_on_exec_from(3)
            let bound = try await listen(
                runtime, at: arguments.listen.isEmpty ? configuration.server.listen : arguments.listen, events)
            complain("genwired ready on \(bound.joined(separator: ", "))")
            await run(runtime, events, logger, Reloading(arguments, started: configuration))
        } catch {
            complain("genwired: \(error)")
            exit(78)
        }
    }

    /// The configuration to start with. A signal to stop ends the process here: nothing is there to be drained.
    private static func firstConfiguration(_ arguments: Arguments, _ events: Events) async -> Configuration {
        _ = events.load(arguments.config)
        var isHungUp = false
        while true {
            switch await events.next() {
            case .hangUp: isHungUp = true
            case .loaded(.success(let configuration)):
                // The file may have changed after it was read.
                if isHungUp { events.post(.hangUp) }
                return configuration
            case .loaded(.failure(let errors)):
                complain("\(errors)")
                exit(78)
            case .listening: break  // not yet
            case .stop: stopEarly()
            }
        }
    }

    /// Listens at every address and returns them as bound. A signal to stop ends the process while names are looked up,
    /// which may take minutes. Unix sockets come last, when nothing is left to wait for: the end removes their files.
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
        var isHungUp = false
        while true {
            switch await events.next() {
            case .hangUp: isHungUp = true
            case .loaded: break  // was taken before
            case .listening(let result):
                if isHungUp { events.post(.hangUp) }
                return try result.get()
            case .stop: stopEarly()
            }
        }
    }

    private static func stopEarly() -> Never {
        complain("genwired: stopped before it was ready")
        CommandScope.endAll()
        _exit(0)
    }

    /// Serves until a signal to stop, then drains.
    private static func run(
        _ runtime: Runtime, _ events: Events, _ logger: Logger, _ reloading: Reloading
    ) async {
        var reloading = reloading
        var loading: CommandScope?
        var isHungUp = false
        serving: while true {
            switch await events.next() {
            case .hangUp where loading != nil: isHungUp = true
            case .hangUp: loading = events.load(reloading.path)
            case .loaded(let result):
                reloading.takeOver(result, runtime, logger)
                loading = isHungUp ? events.load(reloading.path) : nil
                isHungUp = false
            case .listening: break  // was taken before
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
