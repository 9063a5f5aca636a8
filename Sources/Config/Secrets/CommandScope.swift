internal import EventLoop
internal import Glibc
internal import Synchronization

/// The commands that run for one purpose, such as reading one configuration, so that they can be terminated together.
/// Thread-safe.
public final class CommandScope: Sendable {
    private struct Registry {
        /// Each is the leader of a process group of its own and not yet reaped, so that its id is not used again.
        var running: [pid_t: CommandScope] = [:]
        var isClosed = false
    }

    /// The commands of the whole process.
    private static let registry = Locked(Registry())
    private let ended = Atomic<Bool>(false)

    /// Creates an empty scope.
    public init() {}

    /// Whether commands of this scope were or will be ended from outside.
    var isEnded: Bool { ended.load(ordering: .relaxed) || Self.registry.withLock { $0.isClosed } }

    /// Kills what runs in this scope, with everything in its process groups, and starts nothing in it any more.
    public func end() {
        Self.registry.withLock { registry in
            ended.store(true, ordering: .relaxed)
            for (child, scope) in registry.running where scope === self { kill(-child, SIGKILL) }
        }
    }

    /// Kills every command of this process and starts no more: for a process that is about to exit.
    public static func endAll() {
        registry.withLock { registry in
            registry.isClosed = true
            for child in registry.running.keys { kill(-child, SIGKILL) }
        }
    }

    /// Runs `spawn`, which starts a command, and keeps its process id until `forget`.
    func start(_ spawn: () -> Result<pid_t, SecretError>) -> Result<pid_t, SecretError> {
        // Under the lock, so that `end` misses none.
        Self.registry.withLock { registry in
            guard !ended.load(ordering: .relaxed), !registry.isClosed else { return .failure(Self.endedError) }
            let result = spawn()
            if case .success(let child) = result { registry.running[child] = self }
            return result
        }
    }

    /// Must be called before the command is reaped.
    func forget(_ child: pid_t) {
        Self.registry.withLock { $0.running[child] = nil }
    }

    static let endedError = SecretError("the command was terminated because its output is no longer needed")
}
