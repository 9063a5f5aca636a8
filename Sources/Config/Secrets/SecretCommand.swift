internal import CLinux
internal import Glibc

/// Runs a program and returns its standard output as a secret.
public enum SecretCommand {
    /// Runs `arguments[0]`, found by `PATH` if it has no slash, without a shell and waits for its end. Its standard
    /// input and error are `/dev/null`, and it inherits no other descriptor, no ignored and no blocked signal. It gets
    /// a process group of its own, all of which ends with a timeout.
    /// - Parameters:
    ///   - environment: the program's environment.
    ///   - timeout: the longest run, in seconds.
    ///   - scope: can terminate the program early.
    /// - Returns: the output, at most `SecretSource.maximumSize` bytes.
    /// - Throws: `SecretError` that never quotes the output or the arguments.
    public static func run(
        _ arguments: [String], environment: [String: String], timeout: Double, scope: CommandScope = CommandScope()
    ) throws(SecretError) -> [UInt8] {
        let strings = arguments + environment.map { "\($0)=\($1)" }
        guard let program = arguments.first, !program.isEmpty, !strings.contains(where: { $0.utf8.contains(0) }) else {
            throw SecretError("the command must be a list of text: [program, argument, …]")
        }
        var pipes: [Int32] = [-1, -1]
        guard gw_pipe(&pipes) == 0 else { throw systemError("cannot create a pipe for the command") }
        let (readEnd, writeEnd) = (pipes[0], pipes[1])
        _ = fcntl(readEnd, F_SETFL, O_NONBLOCK)
        defer { close(readEnd) }
        let spawned = scope.start { spawn(arguments, environment, output: writeEnd) }
        close(writeEnd)
        let child = try spawned.get()

        let deadline = now() + timeout
        var output: [UInt8] = []
        var failure: SecretError?
        do throws(SecretError) {
            output = try collect(readEnd, of: child, until: deadline)
        } catch {
            failure = error
        }
        if failure != nil { kill(-child, SIGKILL) }
        scope.forget(child)
        let status = reap(child)
        guard !scope.isEnded else { throw CommandScope.endedError }
        if let failure { throw failure }
        if status & 0x7f != 0 { throw SecretError("the command was terminated by signal \(status & 0x7f)") }
        let code = (status >> 8) & 0xff
        guard code == 0 else {
            throw SecretError("the command exited with code \(code); run it by hand to see why")
        }
        return output
    }

    private static func spawn(
        _ arguments: [String], _ environment: [String: String], output: Int32
    ) -> Result<pid_t, SecretError> {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // The pipe first: if this process lacks standard descriptors, the pipe may be one of the three itself.
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        // Close-on-exec is not enough: libraries and the parent process may leave descriptors without it.
        gw_spawn_close_from(&actions, 3)

        // The daemon may have blocked or redirected signals; the program starts with the usual ones.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { (argv + envp).forEach { free($0) } }
        var child: pid_t = 0
        let code = posix_spawnp(&child, arguments[0], &actions, &attributes, &argv, &envp)
        guard code == 0 else {
            return .failure(SecretError("the command cannot be started: \(String(cString: strerror(code)))"))
        }
        return .success(child)
    }

    /// Reads until the end of the output, or until the program has ended: something that it started may hold the pipe.
    private static func collect(
        _ pipe: Int32, of child: pid_t, until deadline: Double
    ) throws(SecretError) -> [UInt8] {
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        defer { chunk.withUnsafeMutableBytes { explicit_bzero($0.baseAddress!, $0.count) } }
        var hasEnded = false
        while true {
            let count = read(pipe, &chunk, chunk.count)
            if count > 0 {
                output += chunk[..<count]
                guard output.count <= SecretSource.maximumSize else {
                    throw SecretError("the command printed more than \(SecretSource.maximumSize) bytes")
                }
                continue
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno != EAGAIN { throw systemError("the command's output cannot be read") }
            // An ended program is left for `reap`; its status must be taken only once.
            if hasEnded { return output }
            hasEnded = hasExited(child)
            if hasEnded { continue }
            guard now() < deadline else { throw SecretError("the command timed out and was terminated") }
            if count == 0 {
                usleep(2000)  // output closed, program still running
            } else {
                var entry = pollfd(fd: pipe, events: Int16(POLLIN), revents: 0)
                _ = poll(&entry, 1, 20)
            }
        }
    }

    private static func hasExited(_ child: pid_t) -> Bool {
        var information = siginfo_t()
        return waitid(P_PID, id_t(child), &information, WEXITED | WNOHANG | WNOWAIT) == 0 && information.si_signo != 0
    }

    private static func reap(_ child: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        return status
    }

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private static func systemError(_ what: String) -> SecretError {
        SecretError("\(what): \(String(cString: strerror(errno)))")
    }
}
