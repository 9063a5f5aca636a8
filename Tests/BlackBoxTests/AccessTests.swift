import Foundation
import Generation
import GenwireClient
import Messages
import TestSupport
import Testing

/// Who may call the daemon, and which errors all others receive.
@Suite struct AccessTests {
    private static let tokens = ["ci": "ci-token-0123456789", "ops": "ops-token-0123456789"]

    private static func configuration(_ server: String) -> @Sendable (String, String) -> String {
        { upstream, folder in
            """
            server: {listen: ["unix:\(folder)/g.sock", "tcp:127.0.0.1:0"], \(server)}
            generation: {provider: openai, config: {model_name: gpt-4o, api_base: "\(upstream)/v1", api_key: k-012345}}
            models:
              slow: {provider: openai, config: {model_name: "gpt-4o#stall-after=2", api_base: "\(upstream)/v1", api_key: k-012345}}
            """
        }
    }

    private static func code(_ body: () async throws -> Void) async -> Int32 {
        do {
            try await body()
            return 0
        } catch {
            return (error as? ClientError)?.code ?? -1
        }
    }

    @Test func tokensOnTCP() async throws {
        let list = Self.tokens.map { "\($0.key): \"\($0.value)\"" }.joined(separator: ", ")
        try await Stack.with(configuration: Self.configuration("tokens: {\(list)}")) { stack in
            let address = stack.tcp
            func connect(_ token: String?, to address: String = address) async throws -> GenwireClient {
                try await GenwireClient.connect(to: address, token: token)
            }
            for wrong in [nil, "", "ci-token-012345678", "ci-token-01234567890", "x"] {
                let client = try await connect(wrong)
                #expect(await Self.code { _ = try await client.chat(user("x")) } == 16, "\(wrong ?? "none")")
                await client.close()
            }
            for wrong in [nil, "ci-token-012345678"] {
                let second = try await connect(wrong)
                #expect(await collect(second.streamChat(user("x"))).error?.code == 16)
                await second.close()
                let third = try await connect(wrong)
                #expect(await Self.code { _ = try await third.hello() } == 16)
                // A wrong token costs the connection, whichever call carries it.
                #expect(await Self.code { _ = try await third.hello() } == 14)
                await third.close()
            }
            for token in Self.tokens.values {
                let client = try await connect(token)
                #expect(try await client.chat(user("x")).message.content.hasPrefix("You asked"))
                #expect(await collect(client.streamChat(user("x"))).completion != nil)
                #expect(try await client.hello().server == "genwired")
                await client.close()
            }
            // A Unix socket requires no token.
            let local = try await connect(nil, to: stack.address)
            #expect(try await local.health().status == .serving)
            await local.close()
            // The log contains neither tokens nor wrong guesses.
            for token in Self.tokens.values { #expect(!stack.daemon.log.contains(token)) }
        }
    }

    @Test func theCommandAndOtherLanguagesShowTokens() async throws {
        try await Stack.with(configuration: Self.configuration("tokens: {ci: ci-token-0123456789}")) { stack in
            let address = stack.tcp
            let none = try await runProgram("genwire", ["--connect", address, "health"])
            #expect(none.code == 77 && none.errors.contains("token"))
            let environment = ["GENWIRE_TOKEN": "ci-token-0123456789"]
            let good = try await runProgram("genwire", ["--connect", address, "health"], environment: environment)
            #expect(good.code == 0)
            let file = stack.folder + "/token"
            try "ci-token-0123456789\n".write(toFile: file, atomically: true, encoding: .utf8)
            let fromFile = try await runProgram("genwire", ["--connect", address, "--token-file", file, "health"])
            #expect(fromFile.code == 0)
            let script = Interop.path("access_check.py")
            let python = try await runProgram("/usr/bin/python3", [script, address, "ci-token-0123456789"])
            #expect(python.code == 0, "\(python.output)\(python.errors)")
        }
    }

    @Test func onlyTheSameCallerCancels() async throws {
        let list = Self.tokens.map { "\($0.key): \"\($0.value)\"" }.joined(separator: ", ")
        try await Stack.with(configuration: Self.configuration("tokens: {\(list)}")) { stack in
            let script = Interop.path("access_check.py")
            let result = try await runProgram(
                "/usr/bin/python3", [script, stack.tcp, Self.tokens["ci"] ?? "", Self.tokens["ops"] ?? ""])
            #expect(result.code == 0, "\(result.output)\(result.errors)")
        }
    }

    /// Requires root, in order to become other users.
    @Test(arguments: [
        ("", "", 0), ("allow_uids: [0]", "", 0), ("allow_uids: [0, 65534]", "", 1), ("allow_uids: [nobody]", "", 1),
        ("allow_gids: [65534]", "", 1), ("allow_gids: [nogroup]", "", 1), ("allow_gids: [12345]", "", 0),
        // Supplementary groups of the process, not of the user: no user database lists them.
        ("allow_gids: [12345]", "12345", 1), ("allow_gids: [1, 12345]", "7 12345 9", 1),
        ("allow_gids: [12345]", "12346", 0),
        ("allow_gids: [20200]", (20000..<20201).map { "\($0)" }.joined(separator: " "), 1),
        ("", "12345", 0),
    ])
    func usersAndGroupsOnUnixSockets(_ server: String, _ groups: String, _ admitted: Int) async throws {
        guard getuid() == 0 else {
            print("skipped: only root can try out other users")
            return
        }
        let rules = server.isEmpty ? "drain_timeout: 5" : server
        try await Stack.with(configuration: Self.configuration(rules)) { stack in
            // Only the owner may open the socket, unless the rules name other users: then the rules decide.
            chmod(stack.folder, 0o755)
            let attributes = try FileManager.default.attributesOfItem(atPath: stack.folder + "/g.sock")
            let names = server.contains("65534") || server.contains("nobody") || server.contains("_gids")
            #expect(attributes[.posixPermissions] as? Int == (names ? 0o666 : 0o600), "\(server)")
            if !names { chmod(stack.folder + "/g.sock", 0o666) }
            let script = Interop.path("other_user.py")
            let result = try await runProgram(
                "/usr/bin/python3",
                [script, stack.folder + "/g.sock", "65534", admitted == 1 ? "0" : "7"]
                    + groups.split(separator: " ").map(String.init))
            #expect(result.code == 0, "\(server): \(result.output)\(result.errors)")
            let own = try await GenwireClient.connect(to: stack.address)
            #expect(try await own.health().status == .serving)
            await own.close()
        }
    }

    /// Neither core dumps nor /proc show the daemon's memory: only root may read /proc of an undumpable process.
    @Test func theDaemonKeepsItsMemoryToItself() async throws {
        let isRoot = getuid() == 0
        try await withTemporaryFolder { folder in
            try """
            server: {listen: ["unix:\(folder)/g.sock"]}
            generation: {provider: openai, config: {model_name: m, api_base: "http://127.0.0.1:1", api_key: k}}
            """.write(toFile: folder + "/config.yaml", atomically: true, encoding: .utf8)
            // Files of root would prove nothing, so the daemon runs as another user there.
            if isRoot { chown(folder, 65534, 65534) }
            let start = isRoot ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : ["env"]
            let daemon = try RunningProgram(
                "/usr/bin/" + start[0],
                start.dropFirst() + [Programs.path("genwired"), "--config", folder + "/config.yaml"],
                logPath: folder + "/daemon.log")
            let isReady = await daemon.waitForLine(containing: "genwired ready") != nil
            let place = "/proc/\(daemon.processID)"
            let owner = try? FileManager.default.attributesOfItem(atPath: place + "/fd")[.ownerAccountID] as? Int
            let status = (try? String(contentsOfFile: place + "/status", encoding: .utf8)) ?? ""
            let limits = (try? String(contentsOfFile: place + "/limits", encoding: .utf8)) ?? ""
            let log = daemon.log
            await daemon.stop()
            if isRoot, !isReady, log.contains("ermission denied") {
                print("skipped: another user cannot run \(Programs.path("genwired"))")
                return
            }
            #expect(isReady, "\(log)")
            #expect(status.contains("Uid:\t\(isRoot ? 65534 : getuid())"))
            #expect(owner == 0)
            let core = limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") }?
                .split(separator: " ").dropFirst(4).prefix(2)
            #expect(core.map(Array.init) == ["0", "0"])
        }
    }

    @Test func aReloadChangesWhoMayCall() async throws {
        try await Stack.with(configuration: Self.configuration("tokens: {ci: ci-token-0123456789}")) { stack in
            let address = stack.tcp
            let path = stack.folder + "/config.yaml"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let old = try await GenwireClient.connect(to: address, token: "ci-token-0123456789")
            let running = Task { await collect(old.streamChat(user("x", model: "slow"))) }
            #expect(try await eventually { try await stack.statistic("active_streams") == 1 })
            try text.replacing("ci-token-0123456789", with: "new-token-0123456789").write(
                toFile: path, atomically: true, encoding: .utf8)
            stack.daemon.signal(SIGHUP)
            #expect(
                try await eventually {
                    let client = try await GenwireClient.connect(to: address, token: "new-token-0123456789")
                    let code = await Self.code { _ = try await client.health() }
                    await client.close()
                    return code == 0
                })
            let client = try await GenwireClient.connect(to: address, token: "ci-token-0123456789")
            #expect(await Self.code { _ = try await client.health() } == 16)
            await client.close()
            // Calls and connections authenticated by the old token end, and so do their upstream requests.
            #expect(await running.value.error?.code == 16)
            #expect(try await eventually { try await stack.statistic("active_streams") == 0 })
            #expect(await Self.code { _ = try await old.health() } == 14)
            await old.close()
        }
    }

    @Test func whatOtherMachinesReachWantsTokens() async throws {
        try await withTemporaryFolder { folder in
            func check(_ server: String) async throws -> (code: Int32, output: String, errors: String) {
                let text = """
                    server: {\(server)}
                    generation: {provider: openai, config: {model_name: m, api_base: "http://127.0.0.1:1", api_key: k}}
                    """
                try text.write(toFile: folder + "/c.yaml", atomically: true, encoding: .utf8)
                return try await runProgram("genwired", ["check", "--config", folder + "/c.yaml"])
            }
            let open = try await check(#"listen: ["tcp:0.0.0.0:7411"]"#)
            #expect(open.code == 78 && (open.output + open.errors).contains("server.tokens"))
            let guarded = try await check(#"listen: ["tcp:0.0.0.0:7411"], tokens: {ci: ci-token-0123456789}"#)
            #expect(guarded.code == 0)
            #expect(guarded.output.contains("tokens     ci") && !guarded.output.contains("ci-token-0123456789"))
            for wrong in [
                "tokens: {ci: short}", "tokens: [a]", "tokens: {}", "allow_uids: [nobody-of-this-name]",
                "allow_gids: [-1]",
            ] {
                let result = try await check(#"listen: ["unix:/tmp/x.sock"], "# + wrong)
                #expect(result.code == 78, "\(wrong)")
            }
        }
    }
}
