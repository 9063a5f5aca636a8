internal import CLinux
internal import EventLoop
public import Foundation

/// A program started with `posix_spawn`: it inherits only the three standard descriptors, and no blocked or ignored
/// signal (a shell's background job ignores SIGINT). Foundation's `Process` occasionally crashes if many threads
/// start programs at the same time.
public final class ChildProcess: Sendable {
    /// The process id.
    public let processID: Int32
    /// The exit code, or 128 + signal if a signal ended it; `nil` while it runs.
    private let end = Locked<Int32?>(nil)

    /// Starts the program at `path`.
    /// - Parameters:
    ///   - input: the descriptor of its standard input; `nil` for none.
    ///   - outputPath: the file of its standard output; `nil` for none.
    ///   - errorPath: the file of its standard error; `nil` for none.
    public init(
        _ path: String, _ arguments: [String], environment: [String: String], input: Int32? = nil,
        outputPath: String? = nil, errorPath: String? = nil
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        for (descriptor, file) in [(Int32(1), outputPath), (2, errorPath)] {
            posix_spawn_file_actions_addopen(
                &actions, descriptor, file ?? "/dev/null", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0o644)
        }
        gw_spawn_close_from(&actions, 3)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for signal in [SIGINT, SIGQUIT, SIGPIPE, SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        let words = ([path] + arguments).map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for pointer in words + variables { free(pointer) } }
        var processID: pid_t = 0
        let code = posix_spawn(&processID, path, &actions, &attributes, words, variables)
        guard code == 0 else {
            throw CocoaError(.executableLoad, userInfo: [NSFilePathErrorKey: path, "errno": Int(code)])
        }
        self.processID = processID
    }

    /// Whether the program is still running.
    public var isRunning: Bool { exitCode(options: WNOHANG) == nil }

    /// Waits for the end and returns the exit code, or 128 + signal if a signal ended the program. Kills the program if
    /// it takes longer than `seconds`.
    @discardableResult
    public func waitForExit(seconds: Int) async -> Int32 {
        for _ in 0..<seconds * 100 where isRunning { try? await Task.sleep(nanoseconds: 10_000_000) }
        if isRunning { kill(processID, SIGKILL) }
        return exitCode(options: 0) ?? -1
    }

    /// Calls `waitpid` until it reports the end, and never after that, since the kernel may reuse the process id.
    private func exitCode(options: Int32) -> Int32? {
        end.withLock { end in
            if end != nil { return end }
            var status: Int32 = 0
            var result = waitpid(processID, &status, options)
            while result < 0, errno == EINTR { result = waitpid(processID, &status, options) }
            guard result == processID else { return nil }
            let signal = status & 0x7F
            end = signal == 0 ? status >> 8 & 0xFF : 128 + signal
            return end
        }
    }
}
