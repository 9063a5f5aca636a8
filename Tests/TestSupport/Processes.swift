public import Foundation

/// The programs under test, which the build puts beside the test bundle.
public enum Programs {
    /// The folder of the test bundle, which also contains the programs.
    public static let folder: URL = {
        // On Linux the bundle is the running program; its folder holds the products.
        let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        for candidate in [own, bundle] {
            let folder = candidate.deletingLastPathComponent()
            if FileManager.default.isExecutableFile(atPath: folder.appendingPathComponent("genwired").path) {
                return folder
            }
        }
        return bundle.deletingLastPathComponent()
    }()

    /// Returns the path of a program; absolute paths stay as they are.
    public static func path(_ name: String) -> String {
        name.hasPrefix("/") ? name : folder.appendingPathComponent(name).path
    }
}

/// The programs in other languages, in `Tests/Interop`.
public enum Interop {
    /// Returns the path of the program with this name.
    public static func path(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Interop/" + name).path
    }
}

/// A program that a test started. The test ends it by its process id.
public final class RunningProgram: Sendable {
    private let process: ChildProcess
    /// The file that receives its standard error.
    public let logPath: String

    /// Starts `name` with `arguments`; its standard error is written to `logPath`.
    /// - Parameters:
    ///   - descriptorLimit: RLIMIT_NOFILE of the new process; `nil` inherits the limit of the tests.
    ///   - input: its standard input; `nil` for none.
    ///   - outputPath: the file of its standard output; `nil` for none.
    public init(
        _ name: String, _ arguments: [String], logPath: String, environment: [String: String] = [:],
        descriptorLimit: Int? = nil, input: FileHandle? = nil, outputPath: String? = nil
    ) throws {
        self.logPath = logPath
        var inherited = ProcessInfo.processInfo.environment
        for name in [
            "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "OPENAI_API_KEY",
        ] {
            inherited[name] = nil
        }
        var path = Programs.path(name)
        var arguments = arguments
        if let descriptorLimit {
            arguments = ["-c", "ulimit -n \(descriptorLimit); exec \"$0\" \"$@\"", path] + arguments
            path = "/bin/sh"
        }
        process = try ChildProcess(
            path, arguments, environment: inherited.merging(environment) { _, new in new },
            input: input?.fileDescriptor, outputPath: outputPath, errorPath: logPath)
    }

    /// The process id.
    public var processID: Int32 { process.processID }
    /// Whether the program is still running.
    public var isRunning: Bool { process.isRunning }
    /// Its standard error so far.
    public var log: String { (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? "" }

    /// Waits until the log contains `text` and returns that line; `nil` if the program ended or 60 seconds passed.
    public func waitForLine(containing text: String) async -> String? {
        for _ in 0..<6000 {
            let lines = log.split(separator: "\n")
            if let line = lines.first(where: { $0.contains(text) }) { return String(line) }
            if !process.isRunning { return nil }
            try? await Task.sleep(nanoseconds: 10_000_000)
        }
        return nil
    }

    /// Sends a signal.
    public func signal(_ number: Int32) { kill(processID, number) }

    /// Waits for the end and returns the exit code; kills the program if it takes longer than a minute.
    public func waitForExit() async -> Int32 {
        await process.waitForExit(seconds: 60)
    }

    /// Ends the program.
    public func stop() async {
        if process.isRunning { kill(processID, SIGTERM) }
        _ = await waitForExit()
    }

    /// The number of its open descriptors; 0 for the daemon unless run as root, since the daemon is not dumpable.
    public var descriptorCount: Int {
        if let names = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(processID)/fd") {
            return names.count
        }
        print("skipped: only root can count the daemon's descriptors")
        return 0
    }

    /// Its resident memory in bytes; 0 under a sanitizer, whose own memory is many times the program's.
    public var residentBytes: Int {
        guard ProcessInfo.processInfo.environment["GENWIRE_SANITIZED"] == nil else {
            print("skipped: resident memory says nothing under a sanitizer")
            return 0
        }
        guard let text = try? String(contentsOfFile: "/proc/\(processID)/statm", encoding: .utf8) else { return 0 }
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * 4096
    }
}

/// Runs a program until it exits.
public func runProgram(
    _ name: String, _ arguments: [String], environment: [String: String] = [:], input: String = ""
) async throws -> (code: Int32, output: String, errors: String) {
    try await withTemporaryFolder { folder in
        try input.write(toFile: folder + "/in", atomically: true, encoding: .utf8)
        let standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: folder + "/in"))
        let process = try ChildProcess(
            Programs.path(name), arguments,
            environment: ProcessInfo.processInfo.environment.merging(environment) { _, new in new },
            input: standardInput.fileDescriptor, outputPath: folder + "/out", errorPath: folder + "/err")
        let code = await process.waitForExit(seconds: 300)
        return (
            code, try String(contentsOfFile: folder + "/out", encoding: .utf8),
            try String(contentsOfFile: folder + "/err", encoding: .utf8)
        )
    }
}
