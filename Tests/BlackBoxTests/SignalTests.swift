import Foundation
import GenwireClient
import Messages
import TestSupport
import Testing

/// Signals while a secret's command runs.
@Suite struct SignalTests {
    /// A configuration whose key comes from a command that writes its process id to `folder`/pid and sleeps. Without a
    /// signal, the daemon waits ten seconds for it.
    private static func slow(_ folder: String) -> String {
        """
        server: {listen: ["unix:\(folder)/g.sock"]}
        generation:
          provider: openai
          config: {model_name: m, api_key: {command: [sh, -c, 'echo $$$$ > \(folder)/pid.new; mv \(folder)/pid.new \(folder)/pid; sleep 100']}}
        """
    }

    /// The command's process id, once it runs.
    private static func child(_ folder: String) async throws -> Int32? {
        var child: Int32?
        _ = try await eventually {
            let text = try? String(contentsOfFile: folder + "/pid", encoding: .utf8)
            child = text.flatMap { Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
            return child != nil
        }
        return child
    }

    /// Whether the command and its children have ended; zombies count as ended.
    private static func hasEnded(_ child: Int32) -> Bool {
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return !processes.contains { name in
            guard Int32(name) != nil, let text = try? String(contentsOfFile: "/proc/\(name)/stat", encoding: .utf8),
                let end = text.lastIndex(of: ")")
            else { return false }
            // Fields: state, parent, process group.
            let fields = text[text.index(after: end)...].split(separator: " ")
            return fields.count > 2 && fields[0] != "Z" && fields[2] == "\(child)"
        }
    }

    @Test(arguments: [("serve", SIGTERM, 0), ("serve", SIGINT, 0), ("check", SIGINT, 130)] as [(String, Int32, Int32)])
    func aSignalEndsTheStart(_ command: String, _ signal: Int32, _ code: Int32) async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/config.yaml"
            try Self.slow(folder).write(toFile: path, atomically: true, encoding: .utf8)
            let daemon = try RunningProgram("genwired", [command, "--config", path], logPath: folder + "/log")
            let child = try #require(try await Self.child(folder))
            #expect(!Self.hasEnded(child))
            daemon.signal(signal)
            // The exit code is 78 if the daemon waited for the command.
            #expect(await daemon.waitForExit() == code, "\(daemon.log)")
            #expect(try await eventually { Self.hasEnded(child) })
        }
    }

    private static let hasCompiler = ["cc", "clang"].contains { name in
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/\(name)")
        }
    }

    /// Replaces the C library's resolver function with one that simulates an unresponsive name server.
    @Test(.enabled(if: hasCompiler, "needs a C compiler"))
    func aSignalEndsTheWaitForAName() async throws {
        try await withTemporaryFolder { folder in
            let source = """
                #include <fcntl.h>
                #include <stdlib.h>
                #include <unistd.h>
                int getaddrinfo(const char *host, const char *port, const void *hints, void **result) {
                    close(open(getenv("LOOKUP_STARTED"), O_CREAT | O_WRONLY, 0600));
                    for (;;) pause();
                }
                """
            try source.write(toFile: folder + "/lookup.c", atomically: true, encoding: .utf8)
            let build = "flags='-shared -fPIC -o lookup.so lookup.c'; cd \(folder); cc $flags || clang $flags"
            let built = try await runProgram("/bin/sh", ["-c", build])
            try #require(built.code == 0, "\(built.errors)")
            let path = folder + "/config.yaml"
            try """
            server: {listen: ["unix:\(folder)/g.sock", "tcp:localhost:0"]}
            generation: {provider: openai, config: {model_name: m, api_key: k}}
            """.write(toFile: path, atomically: true, encoding: .utf8)
            let started = folder + "/started"
            let daemon = try RunningProgram(
                "genwired", ["--config", path], logPath: folder + "/log",
                environment: ["LD_PRELOAD": folder + "/lookup.so", "LOOKUP_STARTED": started])
            #expect(try await eventually { FileManager.default.fileExists(atPath: started) }, "\(daemon.log)")
            daemon.signal(SIGHUP)
            daemon.signal(SIGTERM)
            #expect(await daemon.waitForExit() == 0, "\(daemon.log)")
            #expect(daemon.log.contains("stopped before it was ready"))
            #expect(!FileManager.default.fileExists(atPath: folder + "/g.sock"))
        }
    }

    @Test func aSignalEndsAReload() async throws {
        try await Stack.with { stack in
            let text = Self.slow(stack.folder)
            try text.write(toFile: stack.folder + "/config.yaml", atomically: true, encoding: .utf8)
            stack.daemon.signal(SIGHUP)
            let child = try #require(try await Self.child(stack.folder))
            // The daemon serves calls meanwhile.
            let client = try await GenwireClient.connect(to: stack.address)
            #expect(try await client.health().status == .serving)
            await client.close()
            stack.daemon.signal(SIGTERM)
            #expect(await stack.daemon.waitForExit() == 0)
            #expect(stack.daemon.log.contains("draining"))
            // Logged only if the reload had ended first.
            #expect(!stack.daemon.log.contains("the current configuration stays in effect"))
            #expect(try await eventually { Self.hasEnded(child) })
        }
    }

    @Test func hangUpsDuringAReloadLeadToOneMore() async throws {
        try await Stack.with { stack in
            let path = stack.folder + "/config.yaml"
            let good = try String(contentsOfFile: path, encoding: .utf8)
            let waits =
                "sh, -c, 'echo $$$$ > \(stack.folder)/pid; until test -e \(stack.folder)/go; do sleep 0.05; done; echo k'"
            try
                (good
                + "models:\n  first: {provider: openai, config: {model_name: m, api_key: {command: [\(waits)]}}}\n")
                .write(toFile: path, atomically: true, encoding: .utf8)
            stack.daemon.signal(SIGHUP)
            _ = try #require(try await Self.child(stack.folder))
            try (good + "models:\n  second: {provider: openai, config: {model_name: m, api_key: k}}\n")
                .write(toFile: path, atomically: true, encoding: .utf8)
            for _ in 0..<5 { stack.daemon.signal(SIGHUP) }
            _ = FileManager.default.createFile(atPath: stack.folder + "/go", contents: nil)
            let client = try await GenwireClient.connect(to: stack.address)
            #expect(try await eventually { try await client.listModels().models.contains { $0.name == "second" } })
            await client.close()
        }
    }

    @Test func aSecondSignalEndsAtOnceWithItsPrograms() async throws {
        // Accepts a request and never responds.
        let vendor = TestServer { $0.waitForEnd() }
        defer { vendor.stop() }
        try await withTemporaryFolder { folder in
            let path = folder + "/config.yaml"
            let pid = folder + "/pid"
            try """
            server: {listen: ["unix:\(folder)/g.sock"], drain_timeout: 300}
            generation: {provider: openai, config: {model_name: m, api_base: "http://127.0.0.1:9/v1", auth: slow}}
            models: {held: {provider: openai, config: {model_name: m, api_base: "\(vendor.url("/v1"))", api_key: k}}}
            auth:
              slow: {type: command, command: [sh, -c, 'echo $$$$ > \(pid).new; mv \(pid).new \(pid); sleep 100']}
            """.write(toFile: path, atomically: true, encoding: .utf8)
            let daemon = try RunningProgram("genwired", ["--config", path], logPath: folder + "/log")
            _ = await daemon.waitForLine(containing: "genwired ready")
            let client = try await GenwireClient.connect(to: "unix:\(folder)/g.sock")
            let call = Task { try await client.chat(user("x", model: "held")) }
            let child = try #require(try await Self.child(folder))
            // The token is fetched in advance, so a running command alone does not prove that a call waits for it.
            #expect(try await eventually { vendor.accepted == 1 })
            daemon.signal(SIGTERM)
            #expect(await daemon.waitForLine(containing: "draining") != nil)
            daemon.signal(SIGTERM)
            #expect(try await eventually { Self.hasEnded(child) })
            #expect(await daemon.waitForExit() == 1)
            _ = await call.result
            await client.close()
        }
    }
}
