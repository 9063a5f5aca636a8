import Foundation

/// Why a measurement failed.
struct BenchError: Error, CustomStringConvertible {
    let description: String
}

/// A background process and its resource usage.
final class Background {
    private let process = Process()
    private let input = Pipe()
    let startedAt: UInt64
    private let logPath: String

    init(_ path: String, _ arguments: [String], log: String, output: String? = nil) throws {
        logPath = log
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
        if let output {
            _ = FileManager.default.createFile(atPath: output, contents: nil)
            process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
        } else {
            process.standardOutput = FileHandle.nullDevice
        }
        process.standardInput = input
        startedAt = DispatchTime.now().uptimeNanoseconds
        try process.run()
    }

    var processID: Int32 { process.processIdentifier }
    var log: String { (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? "" }

    /// Waits until a file (by default the log) holds `text`, and returns its line.
    func wait(for text: String, in path: String? = nil, seconds: Int = 10) throws -> String {
        for _ in 0..<(500 * seconds) {
            // Check this before reading the file: a program may write the line just before it exits.
            let hasEnded = !process.isRunning
            let content = (try? String(contentsOfFile: path ?? logPath, encoding: .utf8)) ?? ""
            if let line = content.split(separator: "\n").first(where: { $0.contains(text) }) { return String(line) }
            if hasEnded {
                throw BenchError(description: "\(process.executableURL?.lastPathComponent ?? "") ended: \(log)")
            }
            usleep(2000)
        }
        throw BenchError(description: "waited \(seconds) s for '\(text)': \(log)")
    }

    func stop() {
        try? input.fileHandleForWriting.close()
        if process.isRunning { process.terminate() }
        process.waitUntilExit()
    }

    /// user + system time of this process and the children it waits for, in microseconds.
    var cpuMicroseconds: Double { Self.cpu(processID) }

    static func cpu(_ processID: Int32) -> Double {
        guard let stat = try? String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8),
            let end = stat.lastIndex(of: ")")
        else { return 0 }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 13, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
        return (user + system) * 1_000_000 / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// The child processes of this process.
    var children: [Int32] {
        let path = "/proc/\(processID)/task/\(processID)/children"
        return ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: " ").compactMap {
            Int32($0)
        }
    }

    /// A field of `smaps_rollup`, in MiB.
    func memory(_ field: String) throws -> Double {
        let path = "/proc/\(processID)/smaps_rollup"
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw BenchError(description: "\(path) cannot be read: genwired keeps its memory to itself; run as root")
        }
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(field + ":") }) else { return 0 }
        return (line.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? 0) / 1024
    }
}

/// Runs a program to its end and reads the JSON object that it prints.
func measure(
    _ path: String, _ arguments: [String], environment: [String: String] = [:]
) throws -> [String: Double] {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.standardOutput = output
    process.standardInput = FileHandle.nullDevice
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0, let object = try JSONSerialization.jsonObject(with: data) as? [String: Any]
    else {
        throw BenchError(
            description: "\(path) \(arguments.joined(separator: " ")) failed: \(String(decoding: data, as: UTF8.self))")
    }
    return object.compactMapValues { ($0 as? NSNumber)?.doubleValue }
}

func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
}
