import Foundation
import Generation
import GenwireClient
import Messages
import TestSupport
import Testing

/// What other users and programs of the machine can do to the daemon and its clients.
@Suite struct NeighbourTests {
    @Test func noDescriptorIsInheritedByPrograms() async throws {
        try await Stack.with { stack in
            let client = try await GenwireClient.connect(to: stack.address)
            // Connected: a caller, and the upstream.
            _ = try await client.generate("x")
            let folder = "/proc/\(stack.daemon.processID)/fdinfo"
            var open: [String] = []
            for name in try FileManager.default.contentsOfDirectory(atPath: folder) where (Int(name) ?? 0) > 2 {
                // One that has gone meanwhile is no concern.
                guard let text = try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8) else { continue }
                let flags = text.split(separator: "\n").first { $0.hasPrefix("flags:") }
                let value = flags.flatMap { Int($0.dropFirst(6).trimmingCharacters(in: .whitespaces), radix: 8) }
                if (value ?? 0) & 0o2000000 == 0 {
                    let target = try? FileManager.default.destinationOfSymbolicLink(
                        atPath: "/proc/\(stack.daemon.processID)/fd/\(name)")
                    open.append("\(name) \(target ?? "")")
                }
            }
            #expect(open.isEmpty)
            await client.close()
        }
    }

    /// The first sockets would get these numbers, and the log would go to a caller.
    @Test func closedStandardDescriptorsAreNotReplacedBySockets() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/config.yaml"
            try """
            server: {listen: ["unix:\(folder)/g.sock"]}
            generation: {provider: openai, config: {model_name: m, api_key: {command: [echo, key-0123456789]}}}
            """.write(toFile: path, atomically: true, encoding: .utf8)
            let daemon = try RunningProgram(
                "/bin/sh",
                ["-c", "exec \"$0\" --config \"$1\" <&- >&- 2>&-", Programs.path("genwired"), path],
                logPath: folder + "/log")
            let isServing = try await eventually {
                guard let client = try? await GenwireClient.connect(to: "unix:\(folder)/g.sock") else {
                    return !daemon.isRunning
                }
                let isServing = (try? await client.health())?.status == "serving"
                await client.close()
                return isServing
            }
            #expect(isServing && daemon.isRunning)
            for descriptor in 0...2 {
                let target = try? FileManager.default.destinationOfSymbolicLink(
                    atPath: "/proc/\(daemon.processID)/fd/\(descriptor)")
                #expect(target == "/dev/null", "\(descriptor)")
            }
            await daemon.stop()
        }
    }
}
