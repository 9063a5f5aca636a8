import Foundation
import TestSupport
import Testing

/// Ctrl-C, as a terminal sends it.
@Suite struct InterruptTests {
    private static let configuration = Stack.configuration(["stalls": "gpt-4o#stall-after=1"])

    private static func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

    private static func count(_ words: String, in path: String) -> Int {
        text(path).components(separatedBy: words).count - 1
    }

    @Test func endsACommandAndItsUpstream() async throws {
        try await Stack.with(configuration: Self.configuration) { stack in
            for command in [["generate", "x"], ["chat", "-m", "user:x", "--stream"]] {
                let genwire = try RunningProgram(
                    "genwire", ["--connect", stack.address, "--model", "stalls"] + command,
                    logPath: stack.folder + "/genwire.log")
                #expect(try await eventually { try await stack.statistic("active_streams") == 1 })
                genwire.signal(SIGINT)
                #expect(await genwire.waitForExit() == 130)
                #expect(try await eventually { try await stack.statistic("active_streams") == 0 })
            }
        }
    }

    @Test func stopsEveryAnswerOfAConversation() async throws {
        try await Stack.with(configuration: Self.configuration) { stack in
            let pipe = Pipe()
            let log = stack.folder + "/genwire.log"
            let repl = try RunningProgram(
                "genwire", ["--connect", stack.address, "--model", "stalls", "repl"], logPath: log,
                input: pipe.fileHandleForReading)
            for turn in 1...4 {
                pipe.fileHandleForWriting.write(Data("question \(turn)\n".utf8))
                #expect(try await eventually { try await stack.statistic("active_streams") == 1 })
                repl.signal(SIGINT)
                #expect(try await eventually { Self.count("(stopped)", in: log) == turn }, "\(Self.text(log))")
                #expect(try await eventually { try await stack.statistic("active_streams") == 0 })
            }
            pipe.fileHandleForWriting.write(Data("/quit\n".utf8))
            #expect(await repl.waitForExit() == 0)
        }
    }

    @Test func aSecondOneEndsAnAnswerThatDoesNotStop() async throws {
        try await Stack.with(configuration: Self.configuration) { stack in
            let pipe = Pipe()
            let repl = try RunningProgram(
                "genwire", ["--connect", stack.address, "--model", "stalls", "repl"],
                logPath: stack.folder + "/genwire.log", input: pipe.fileHandleForReading)
            pipe.fileHandleForWriting.write(Data("question\n".utf8))
            #expect(try await eventually { try await stack.statistic("active_streams") == 1 })
            stack.daemon.signal(SIGSTOP)
            // Pending signals of the same kind merge into one: repeat until the program has seen the second.
            #expect(
                try await eventually {
                    repl.signal(SIGINT)
                    return !repl.isRunning
                })
            stack.daemon.signal(SIGCONT)
            #expect(await repl.waitForExit() == 130)
        }
    }

    @Test func atThePromptOneWarnsAndTwoEnd() async throws {
        try await Stack.with { stack in
            let (master, terminal) = try Self.terminal()
            defer { close(master) }
            let output = stack.folder + "/out"
            let repl = try RunningProgram(
                "genwire", ["--connect", stack.address, "repl"], logPath: stack.folder + "/genwire.log",
                input: terminal, outputPath: output)
            let hint = "Ctrl-C again"
            #expect(try await eventually { Self.text(output).hasSuffix("> ") })
            repl.signal(SIGINT)
            #expect(try await eventually { Self.count(hint, in: output) == 1 })

            // A line of input resets the count.
            _ = "hello\n".withCString { write(master, $0, strlen($0)) }
            #expect(try await eventually { Self.text(output).contains("You asked: hello") })
            #expect(try await eventually { Self.text(output).hasSuffix("> ") })
            repl.signal(SIGINT)
            #expect(try await eventually { Self.count(hint, in: output) == 2 })
            #expect(repl.isRunning)
            repl.signal(SIGINT)
            #expect(await repl.waitForExit() == 130)
        }
    }

    /// A pseudo-terminal: the master, which types, and the terminal that a program reads.
    private static func terminal() throws -> (master: Int32, terminal: FileHandle) {
        // TIOCSPTLCK and TIOCGPTN: Swift does not see `posix_openpt` and its relatives.
        let (setLock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
        let master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var (isLocked, number): (Int32, UInt32) = (0, 0)
        guard master >= 0, ioctl(master, setLock, &isLocked) == 0, ioctl(master, getNumber, &number) == 0 else {
            throw StackError("no pseudo-terminal: errno \(errno)")
        }
        let terminal = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard terminal >= 0 else { throw StackError("no pseudo-terminal: errno \(errno)") }
        return (master, FileHandle(fileDescriptor: terminal, closeOnDealloc: true))
    }
}
