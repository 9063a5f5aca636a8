internal import Foundation
internal import FoundationNetworking

/// A simulator with a daemon in front of it, in a temporary folder.
public struct Stack: Sendable {
    /// The folder with the socket, the configuration and the logs.
    public let folder: String
    /// The daemon.
    public let daemon: RunningProgram
    /// The simulated vendor.
    public let simulator: RunningProgram
    /// The simulator's address, for example `http://127.0.0.1:40001`.
    public let upstream: String
    /// The daemon's Unix address.
    public var address: String { "unix:\(folder)/g.sock" }
    /// The daemon's TCP address, from its ready line.
    public var tcp: String {
        let line = daemon.log.split(separator: "\n").first { $0.contains("genwired ready") } ?? ""
        return line.split { " ,".contains($0) }.first { $0.hasPrefix("tcp:") }.map(String.init) ?? ""
    }

    /// A configuration with the default model on the simulator, and further models by their vendor names, which may
    /// request faults (`gpt-4o#stall-after=3`).
    public static func configuration(_ more: [String: String] = [:], extra: String = "")
        -> @Sendable (String, String) -> String
    {
        { upstream, folder in
            let base = "api_base: \"\(upstream)/v1\", api_key: sk-planted-secret-0123456789"
            var text = """
                server: {listen: ["unix:\(folder)/g.sock", "tcp:127.0.0.1:0"]}
                generation: {provider: openai, config: {model_name: gpt-4o-mini, \(base)}}
                retry: {max_attempts: 1}
                \(extra)

                """
            if !more.isEmpty { text += "models:\n" }
            for (name, model) in more.sorted(by: { $0.key < $1.key }) {
                text += "  \(name): {provider: openai, config: {model_name: \"\(model)\", \(base)}}\n"
            }
            return text
        }
    }

    /// Runs `body` with a stack, and ends both programs afterwards even if it throws.
    public static func with(
        simulator arguments: [String] = [],
        configuration: @Sendable (_ upstream: String, _ folder: String) -> String = Stack.configuration(),
        environment: [String: String] = [:], descriptorLimit: Int? = nil, _ body: (Stack) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let simulator = try RunningProgram(
                "genwire-sim", ["--port", "0"] + arguments, logPath: folder + "/sim.log")
            guard let line = await simulator.waitForLine(containing: "ready on"),
                let upstream = line.split(separator: " ").last.map(String.init)
            else { throw StackError("the simulator did not start: \(simulator.log)") }
            do {
                try configuration(upstream, folder).write(
                    toFile: folder + "/config.yaml", atomically: true, encoding: .utf8)
                let daemon = try RunningProgram(
                    "genwired", ["--config", folder + "/config.yaml", "--log-level", "debug"],
                    logPath: folder + "/daemon.log", environment: environment, descriptorLimit: descriptorLimit)
                guard await daemon.waitForLine(containing: "genwired ready") != nil else {
                    await daemon.stop()
                    throw StackError("the daemon did not start: \(daemon.log)")
                }
                do {
                    try await body(
                        Stack(folder: folder, daemon: daemon, simulator: simulator, upstream: upstream))
                } catch {
                    await daemon.stop()
                    throw error
                }
                await daemon.stop()
                // Every secret in the tests contains one of these strings, and no output of a daemon may contain them.
                guard !daemon.log.contains("planted-secret"), !daemon.log.contains("sim-token-") else {
                    throw StackError("the daemon wrote a secret into its log: \(daemon.log)")
                }
            } catch {
                await simulator.stop()
                throw error
            }
            await simulator.stop()
        }
    }

    /// Returns a counter from the simulator's `/sim/stats`.
    public func statistic(_ name: String) async throws -> Int {
        let (data, _) = try await URLSession.shared.data(from: URL(string: upstream + "/sim/stats")!)
        let object = try JSONSerialization.jsonObject(with: data) as? [String: Any]
        return object?[name] as? Int ?? -1
    }

    /// The most recent request body that the simulator received.
    public func lastRequest() async throws -> [String: Any] {
        let (data, _) = try await URLSession.shared.data(from: URL(string: upstream + "/sim/stats")!)
        let object = try JSONSerialization.jsonObject(with: data) as? [String: Any]
        return object?["last_request"] as? [String: Any] ?? [:]
    }
}

/// Why a stack did not start, or another failure of the tests' own setup.
public struct StackError: Error, CustomStringConvertible {
    /// The text of the failure.
    public let description: String
    /// Creates an error with a text.
    public init(_ description: String) { self.description = description }
}

/// Waits until `condition` holds; returns `false` after a time that no healthy run needs.
public func eventually(seconds: Double = 60, _ condition: () async throws -> Bool) async throws -> Bool {
    for _ in 0..<Int(seconds * 100) {
        if try await condition() { return true }
        try await Task.sleep(nanoseconds: 10_000_000)
    }
    return false
}
