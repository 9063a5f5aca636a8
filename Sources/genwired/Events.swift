import Config
import Daemon
import Dispatch
import EventLoop
import Glibc
import Synchronization

/// The daemon's event queue: signals, configurations that were read, and the result of listening, in order.
final class Events {
    enum Event: Sendable {
        /// The first SIGTERM or SIGINT.
        case stop
        /// SIGHUP.
        case hangUp
        /// `load` has finished.
        case loaded(Result<Configuration, ConfigErrors>)
        /// `listen` has finished: the bound addresses.
        case listening(Result<[String], Runtime.StartError>)
    }

    private let stream: AsyncStream<Event>
    private let continuation: AsyncStream<Event>.Continuation
    private let signals: SignalWatch
    /// Held by the thread that ends the process, so that only one exit code is used.
    private static let end = Locked(())

    /// Starts watching signals. A second SIGTERM or SIGINT ends the process with exit code 1 at any time.
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

    /// Must be called before the process exits normally. Does not return if a signal is already ending the process.
    static func finish() { end.withLock { _ in } }

    /// Kills the commands in progress, then exits, whatever their failure would have caused.
    private static func exit(_ code: Int32) {
        end.withLock { _ in
            CommandScope.endAll()
            _exit(code)
        }
    }

    /// Waits for the next event; returns `.stop` once the queue is closed.
    func next() async -> Event {
        for await event in stream { return event }
        return .stop
    }

    /// Appends an event to the queue.
    func post(_ event: Event) { continuation.yield(event) }

    /// Reads the configuration on another thread, because secrets may come from slow commands and files. Posts
    /// `.loaded` when done.
    /// - Returns: a scope that can end the commands early.
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

    /// Listens at `addresses` without blocking other events. Posts `.listening` when done; name resolution may take
    /// minutes.
    func listen(_ runtime: Runtime, at addresses: [String]) {
        Task { [continuation] in
            do throws(Runtime.StartError) {
                continuation.yield(.listening(.success(try await runtime.listen(at: addresses))))
            } catch {
                continuation.yield(.listening(.failure(error)))
            }
        }
    }

    /// On the first signal, kills the commands in progress and exits with code 128 + signal number.
    static func endAtFirstSignal() -> SignalWatch {
        SignalWatch([SIGTERM, SIGINT, SIGHUP]) { number in
            exit(128 + number)
        }
    }
}

/// A flag that can be set once. Safe from any thread.
private final class Once: Sendable {
    private let happened = Atomic<Bool>(false)

    func isFirst() -> Bool { !happened.exchange(true, ordering: .relaxed) }
}
