import Foundation
import Generation
import GenwireClient
import Messages
import TestSupport
import Testing

/// The daemon as a process: sockets, signals, limits, configuration.
@Suite struct ServerLifeTests {
    @Test func drainFinishesStreamsAndRemovesTheSocket() async throws {
        try await Stack.with(simulator: ["--chunk-interval", "20"]) { stack in
            let client = try await GenwireClient.connect(to: stack.address)
            let stream = Task { await collect(client.streamChat(user("a few words to wait for"))) }
            #expect(try await eventually { try await stack.statistic("active_streams") == 1 })
            stack.daemon.signal(SIGTERM)
            let result = await stream.value
            #expect(result.error == nil)
            #expect(result.completion?.finishReason == .stop)
            #expect(await stack.daemon.waitForExit() == 0)
            #expect(!FileManager.default.fileExists(atPath: stack.folder + "/g.sock"))
            #expect(!FileManager.default.fileExists(atPath: stack.folder + "/g.sock.lock"))
            await client.close()
        }
    }

    @Test func aSecondSignalEndsAtOnce() async throws {
        try await Stack.with(configuration: Stack.configuration(["stalls": "gpt-4o#stall-after=1"])) { stack in
            let client = try await GenwireClient.connect(to: stack.address)
            let stream = Task { await collect(client.streamChat(user("x", model: "stalls"))) }
            #expect(try await eventually { try await stack.statistic("active_streams") == 1 })
            stack.daemon.signal(SIGTERM)
            #expect(await stack.daemon.waitForLine(containing: "draining") != nil)
            stack.daemon.signal(SIGTERM)
            #expect(await stack.daemon.waitForExit() == 1)
            #expect(await stream.value.error != nil)
            await client.close()
        }
    }

    @Test func aKilledDaemonsSocketIsReplacedAndALiveOneIsNot() async throws {
        try await Stack.with { stack in
            let second = try await runProgram("genwired", ["--config", stack.folder + "/config.yaml"])
            #expect(second.code == 78)
            #expect(second.errors.contains("another server listens here"))
            stack.daemon.signal(SIGKILL)
            _ = await stack.daemon.waitForExit()
            #expect(FileManager.default.fileExists(atPath: stack.folder + "/g.sock"))
            let again = try RunningProgram(
                "genwired", ["--config", stack.folder + "/config.yaml"], logPath: stack.folder + "/second.log")
            #expect(await again.waitForLine(containing: "genwired ready") != nil)
            let client = try await GenwireClient.connect(to: stack.address)
            #expect(try await client.health().status == .serving)
            await client.close()
            await again.stop()
        }
    }

    @Test func reloadTakesOverModelsAndKeepsTheOldOnesWhenItCannot() async throws {
        try await Stack.with { stack in
            let path = stack.folder + "/config.yaml"
            let client = try await GenwireClient.connect(to: stack.address)
            let old = try String(contentsOfFile: path, encoding: .utf8)
            try
                (old
                + "models:\n  added: {provider: openai, config: {model_name: gpt-new, api_base: \"\(stack.upstream)/v1\", api_key: k}}\n")
                .write(toFile: path, atomically: true, encoding: .utf8)
            stack.daemon.signal(SIGHUP)
            #expect(try await eventually { try await client.listModels().models.contains { $0.name == "added" } })
            try "generation: [".write(toFile: path, atomically: true, encoding: .utf8)
            stack.daemon.signal(SIGHUP)
            #expect(await stack.daemon.waitForLine(containing: "the current configuration stays in effect") != nil)
            #expect(try await client.chat(user("x", model: "added")).completion.model == "gpt-new")
            await client.close()
        }
    }

    @Test func reloadReadsTheCatalogueAgain() async throws {
        let configuration: @Sendable (String, String) -> String = { upstream, folder in
            try? #"{"models":{"openai/gpt-4o-mini":{"context_window":1001}}}"#
                .write(toFile: folder + "/facts.json", atomically: true, encoding: .utf8)
            return Stack.configuration(extra: "catalogue: {files: [\(folder)/facts.json]}")(upstream, folder)
        }
        try await Stack.with(configuration: configuration) { stack in
            let client = try await GenwireClient.connect(to: stack.address)
            #expect(try await client.listModels().models.first?.contextWindow == 1001)
            try #"{"models":{"openai/gpt-4o-mini":{"context_window":1002,"retires_on":"2030-01-31"}}}"#
                .write(toFile: stack.folder + "/facts.json", atomically: true, encoding: .utf8)
            stack.daemon.signal(SIGHUP)
            #expect(try await eventually { try await client.listModels().models.first?.contextWindow == 1002 })
            let all = try await client.listModels(ModelQuestion(all: true, pattern: "openai/gpt-4o*mini"))
            let model = try #require(all.models.first { $0.name == "openai/gpt-4o-mini" })
            #expect(model.retiresOn == "2030-01-31" && model.inputPrice == 0.15 && model.maxOutputTokens == 16_384)
            #expect(all.models.allSatisfy { $0.name.contains("gpt-4o") })
            // A file with a mistake changes nothing.
            try "{".write(toFile: stack.folder + "/facts.json", atomically: true, encoding: .utf8)
            stack.daemon.signal(SIGHUP)
            #expect(await stack.daemon.waitForLine(containing: "facts.json: not valid JSON") != nil)
            #expect(try await client.listModels().models.first?.contextWindow == 1002)
            await client.close()
        }
    }

    @Test func reloadSaysWhatItTookOverAndWhatTakesARestart() async throws {
        try await Stack.with { stack in
            let path = stack.folder + "/config.yaml"
            let old = try String(contentsOfFile: path, encoding: .utf8)
            func reload(_ text: String, _ expected: String) async throws {
                let before = stack.daemon.log.utf8.count
                try text.write(toFile: path, atomically: true, encoding: .utf8)
                stack.daemon.signal(SIGHUP)
                let isLogged = try await eventually { stack.daemon.log.dropFirst(before).contains(expected) }
                #expect(isLogged, "\(stack.daemon.log)")
            }
            // A key is a secret: the log reports the change but not the value (`Stack.with` checks the log).
            let changed =
                old.replacing("sk-planted-secret-0123456789", with: "sk-planted-secret-9876543210")
                + "routes: {r: {targets: [default]}}\nauth: {a: {type: static, token: planted-secret-token}}\n"
            try await reload(
                changed,
                "notice genwired: configuration reloaded changes=model default changed, route r added, "
                    + "credential a added\n")
            #expect(!stack.daemon.log.contains("warning genwired: changed keys"))
            let restart =
                old.replacing("server: {", with: "server: {loops: 3, allow_uids: [0, 4242], ")
                + "limits: {max_connections: 5}\nlog: {level: debug}\n"
            let warning =
                "warning genwired: changed keys require a restart; the daemon keeps the old values until then "
                + "keys=server.loops, limits.max_connections\n"
            try await reload(restart, "who may call changed\n")
            // `loops` and `max_connections` need a restart; the level, set by --log-level, would not change even then.
            #expect(try await eventually { stack.daemon.log.contains(warning) }, "\(stack.daemon.log)")
            // Keys that need a restart are reported again at each reload.
            try await reload(restart, "configuration reloaded changes=none\n")
            #expect(
                try await eventually { stack.daemon.log.components(separatedBy: warning).count == 3 },
                "\(stack.daemon.log)")
        }
    }

    @Test(arguments: [
        ("generation: {provider: openai, config: {model_name: x, api_key: k, temprature: 1}}", "temperature"),
        ("generation: {provider: opnai, config: {model_name: x, api_key: k}}", "openai"),
        ("generation: {provider: openai, config: {api_key: k}}", "model_name"),
        (
            "generation: {provider: openai, config: {model_name: x, api_key: \"${GENWIRE_TEST_UNSET}\"}}",
            "GENWIRE_TEST_UNSET"
        ),
        ("generation: {provider: openai, config: {model_name: x, api_key: k, max_tokens: many}}", "max_tokens"),
        ("generation: [1, 2", "config.yaml:"),
        ("server: {listen: [\"unix:/tmp/x\"]}", "generation"),
        ("", "generation"),
        ("generation: {provider: openai, config: {model_name: x}}", "OPENAI_API_KEY"),
    ])
    func aWrongConfigurationSaysWhereAndWhat(_ text: String, _ mention: String) async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/config.yaml"
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            for command in [["check", "--config", path], ["--config", path]] {
                let result = try await runProgram("genwired", command, environment: ["OPENAI_API_KEY": ""])
                #expect(result.code == 78, "\(result.errors)")
                #expect(result.errors.contains(mention), "\(result.errors)")
            }
        }
    }

    @Test func socketPathsThatCannotWork() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/config.yaml"
            let model = "generation: {provider: openai, config: {model_name: x, api_key: k}}\n"
            let cases = [
                ("unix:\(folder)/" + String(repeating: "long", count: 40), "107"),
                ("unix:\(folder)/missing/g.sock", "does not exist"), ("tcp:0.0.0.0:0", "server.tokens"),
                ("http://x", "unix:"),
            ]
            for (address, mention) in cases {
                try model.write(toFile: path, atomically: true, encoding: .utf8)
                let result = try await runProgram("genwired", ["--config", path, "--listen", address])
                #expect(result.code == 78, "\(address): \(result.errors)")
                #expect(result.errors.contains(mention), "\(address): \(result.errors)")
            }
        }
    }

    @Test func usageErrorsAre64() async throws {
        for arguments in [[], ["--nonsense"], ["--config"], ["check"]] {
            #expect(try await runProgram("genwired", arguments).code == 64)
        }
        #expect(try await runProgram("genwired", ["--help"]).output.contains("usage: genwired"))
        #expect(try await runProgram("genwired", ["--version"]).code == 0)
    }

    @Test func thousandsOfSilentConnectionsCostLittleAndBlockNobody() async throws {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        // Leave some for the other tests of this process.
        let count = min(10_000, Int(clamping: limit.rlim_cur) - 6000)
        guard count > 1000 else {
            print("skipped: the descriptor limit is \(limit.rlim_cur)")
            return
        }
        try await Stack.with(configuration: Stack.configuration(extra: "limits: {max_connections: 20000}")) { stack in
            let before = stack.daemon.residentBytes
            let descriptors = stack.daemon.descriptorCount
            var sockets: [Int32] = []
            for _ in 0..<count { sockets.append(connectUnix(stack.folder + "/g.sock")) }
            #expect(sockets.allSatisfy { $0 >= 0 })
            let client = try await GenwireClient.connect(to: stack.address)
            #expect(try await client.generate("through the crowd").completion.finishReason == .stop)
            let grown = stack.daemon.residentBytes - before
            #expect(grown < 80 << 20, "\(grown) bytes for \(count) connections")
            for socket in sockets { close(socket) }
            #expect(try await eventually { stack.daemon.descriptorCount <= descriptors + 16 })
            await client.close()
        }
    }

    @Test func connectionsOverTheLimitAreRefusedAndTheRestIsServed() async throws {
        try await Stack.with(configuration: Stack.configuration(extra: "limits: {max_connections: 10}")) { stack in
            var sockets = (0..<11).map { _ in connectUnix(stack.folder + "/g.sock") }
            // The loop that accepts last refuses its connection; which one that is varies.
            #expect(try await eventually { sockets.count { isClosed($0) } == 1 })
            let open = try #require(sockets.firstIndex { !isClosed($0) })
            close(sockets.remove(at: open))
            let isServedAgain = try await eventually {
                guard let client = try? await GenwireClient.connect(to: stack.address) else { return false }
                let isServed = (try? await client.health()) != nil
                await client.close()
                return isServed
            }
            #expect(isServedAgain)
            for socket in sockets { close(socket) }
        }
    }

    @Test func runningOutOfDescriptorsRefusesInsteadOfSpinning() async throws {
        try await Stack.with(descriptorLimit: 64) { stack in
            let client = try await GenwireClient.connect(to: stack.address)
            _ = try await client.generate("before")
            let sockets = (0..<200).map { _ in connectUnix(stack.folder + "/g.sock") }
            #expect(try await eventually { sockets.count { isClosed($0) } > 100 })
            #expect(try await client.health().status == .serving)
            for socket in sockets { close(socket) }
            #expect(
                try await eventually {
                    (try? await client.generate("after"))?.completion.finishReason == .stop
                })
            await client.close()
        }
    }
}

func connectUnix(_ path: String) -> Int32 {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let result = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
    if result == 0 { return descriptor }
    close(descriptor)
    return -1
}

/// Whether the peer has closed the connection.
func isClosed(_ descriptor: Int32) -> Bool {
    guard descriptor >= 0 else { return true }
    var byte: UInt8 = 0
    return recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) == 0
}
