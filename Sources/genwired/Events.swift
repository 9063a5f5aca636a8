import Config
import Daemon
import Dispatch
import EventLoop
import Glibc
import Synchronization

/// What reaches the daemon from outside, in order: signals, and the configurations that it reads.
final class Events {
    enum Event: Sendable {
        /// The first SIGTERM or SIGINT.
        case stop
        /// SIGHUP.
        case hangUp
        /// The end of `load`.
        case loaded(Result<Configuration, ConfigErrors>)
        /// The end of `listen`: the addresses as bound.
        case listening(Result<[String], Runtime.StartError>)
    }

    private let stream: AsyncStream<Event>
    private let continuation: AsyncStream<Event>.Continuation
    private let signals: SignalWatch
    /// Held by whatever ends the process, so that there is one exit code.
    private static let end = Locked(())

    /// Watches the signals from now on. A second SIGTERM or SIGINT ends the process with exit code 1, whatever it is
    /// doing.
    init() {
        (stream, continuation) = AsyncStream.makeStream(of: Event.self)
        let isStopping = Once()
        signals = SignalWatch([SIGTERM, SIGINT, SIGHUP]) { [continuation] number in
            if number == SIGHUP {
                continuation.yield(.hangUp)
            } else if isStopping.isFirst() {
                continuation.yield(.stop)
            } else {
                Self.exit(1)
            }
        }
    }

    /// Must be called before the process ends by itself: where a signal is ending it, this does not return.
    static func finish() { end.withLock { _ in } }

    /// Ends the commands in progress, and the process whatever else that leads to.
    private static func exit(_ code: Int32) {
        end.withLock { _ in
            CommandScope.endAll()
            _exit(code)
        }
    }

    /// Waits for the next event.
    func next() async -> Event {
        for await event in stream { return event }
        return .stop
    }

    /// Puts an event behind those that are there.
    func post(_ event: Event) { continuation.yield(event) }

    /// Reads the file on a thread of its own, since secrets may come from commands and files that take their time.
    /// `loaded` follows. The result ends the commands before their time.
    func load(_ path: String) -> CommandScope {
        let commands = CommandScope()
        DispatchQueue.global().async { [continuation] in
            do throws(ConfigErrors) {
                continuation.yield(.loaded(.success(try Loading.configuration(path, commands: commands))))
            } catch {
                continuation.yield(.loaded(.failure(error)))
            }
        }
        return commands
    }

    /// Listens at `addresses` while other events come. `listening` follows, as late as the names are looked up.
    func listen(_ runtime: Runtime, at addresses: [String]) {
        Task { [continuation] in
            do throws(Runtime.StartError) {
                continuation.yield(.listening(.success(try await runtime.listen(at: addresses))))
            } catch {
                continuation.yield(.listening(.failure(error)))
            }
        }
    }

    /// Lets the first signal end the commands in progress and then the process, with exit code 128 + signal.
    static func endAtFirstSignal() -> SignalWatch {
        SignalWatch([SIGTERM, SIGINT, SIGHUP]) { number in
            exit(128 + number)
        }
    }
}

/// Whether something happens for the first time.
private final class Once: Sendable {
    private let happened = Atomic<Bool>(false)

    func isFirst() -> Bool { !happened.exchange(true, ordering: .relaxed) }
}
