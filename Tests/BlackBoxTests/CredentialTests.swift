import Foundation
import FoundationNetworking
import Generation
import GenwireClient
import Messages
import TestSupport
import Testing

/// Credentials in the running daemon: fetched, refreshed, replaced, and never shown.
@Suite struct CredentialTests {
    private static let coin =
        "type: coin, token_url: \"UP/oauth/token\", client_id: corp-app, client_secret: planted-secret-coin"

    /// A daemon with Gemini and Claude that share one entry of `auth`.
    private static func configuration(_ auth: String, more: String = "") -> @Sendable (String, String) -> String {
        { upstream, folder in
            """
            server: {listen: ["unix:\(folder)/g.sock"]}
            retry: {max_attempts: 1}
            models:
              gemini: {provider: vertex, config: {model_name: gemini-2.5-flash, project_id: p, api_base: "\(upstream)", auth: a}}
              claude: {provider: anthropic_vertex, config: {model_name: claude-sonnet-4-5, project_id: p, api_base: "\(upstream)", auth: a}}
            \(more)
            auth:
              a: {\(auth.replacing("UP", with: upstream).replacing("FOLDER", with: folder))}
            """
        }
    }

    private static func get(_ stack: Stack, _ path: String) async throws -> [String: Any] {
        let (data, _) = try await URLSession.shared.data(from: URL(string: stack.upstream + path)!)
        return try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    }

    /// The number of token requests to a path.
    private static func requests(_ stack: Stack, _ path: String) async throws -> Int {
        (try await get(stack, "/sim/tokens")["requests"] as? [String: Int])?[path] ?? 0
    }

    private static func withClient(
        _ configuration: @escaping @Sendable (String, String) -> String, environment: [String: String] = [:],
        _ body: (GenwireClient, Stack) async throws -> Void
    ) async throws {
        try await Stack.with(configuration: configuration, environment: environment) { stack in
            let client = try await GenwireClient.connect(to: stack.address)
            try await body(client, stack)
            await client.close()
        }
    }

    @Test func theFirstRequestDoesNotWait() async throws {
        try await Self.withClient(Self.configuration(Self.coin)) { client, stack in
            #expect(try await eventually { try await Self.requests(stack, "/oauth/token") == 1 })
            #expect(try await eventually { try await client.validateAuth(model: "gemini").first?.isValid == true })
            let response = try await client.chat(user("x", model: "gemini"))
            #expect(response.completion.timing.authMicroseconds == 0)
            #expect(try await client.chat(user("x", model: "claude")).completion.attempts.count == 1)
            // One entry fetches one token, however many models use it.
            #expect(try await Self.requests(stack, "/oauth/token") == 1)
            let reports = try await client.validateAuth()
            #expect(reports.allSatisfy { $0.isValid && $0.status == .healthy && ($0.expiresInSeconds ?? 0) > 3000 })
        }
    }

    @Test func aThousandRequestsShareOneTokenCall() async throws {
        let slow = Self.coin + ", scope: \"delay=1500\""
        try await Self.withClient(Self.configuration(slow)) { client, stack in
            let answers = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<1000 {
                    group.addTask { (try? await client.chat(user("x", model: "gemini"))) != nil }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(answers == 1000)
            let calls = try await Self.requests(stack, "/oauth/token")
            #expect(calls == 1)
        }
    }

    @Test func requestsAcrossAnExpiryDoNotWait() async throws {
        try await Self.withClient(Self.configuration(Self.coin + ", scope: \"expires=4,delay=150\"")) { client, stack in
            #expect(try await eventually { try await client.validateAuth(model: "gemini").first?.isValid == true })
            var waited = 0
            let end = Date().addingTimeInterval(9)
            while Date() < end {
                let response = try await client.chat(user("x", model: "gemini"))
                if response.completion.timing.authMicroseconds > 0 { waited += 1 }
                try await Task.sleep(nanoseconds: 5_000_000)
            }
            let count = try await Self.requests(stack, "/oauth/token")
            #expect(count >= 2 && count <= 8, "\(count) token calls")
            // A stalled machine may account for one: it would have to stall for most of a second.
            #expect(waited <= 1, "\(waited) requests waited for a token although the old one was good")
        }
    }

    @Test func aRevokedTokenIsReplacedOnce() async throws {
        try await Self.withClient(Self.configuration(Self.coin)) { client, stack in
            _ = try await client.chat(user("x", model: "gemini"))
            for streams in [false, true] {
                let before = try await Self.requests(stack, "/oauth/token")
                _ = try await Self.get(stack, "/sim/tokens/revoke")
                if streams {
                    #expect(await collect(client.streamChat(user("x", model: "claude"))).completion != nil)
                } else {
                    #expect(try await client.chat(user("x", model: "gemini")).completion.finishReason == .stop)
                }
                #expect(try await Self.requests(stack, "/oauth/token") == before + 1)
            }
        }
    }

    /// Probes share one upstream request while it is in progress, across all connections and loops.
    @Test func questionsInProgressAreShared() async throws {
        try await Stack.with(configuration: { upstream, folder in
            let config = "project_id: p, api_base: \"\(upstream)\", api_key: sk-planted-secret-0123456789"
            return """
                server: {listen: ["unix:\(folder)/g.sock"], loops: 2}
                models:
                  silent: {provider: vertex, config: {model_name: "gemini-2.5-flash#never-answer", \(config), timeouts: {total: 3}}}
                  slow: {provider: vertex, config: {model_name: "gemini-2.5-flash#delay=1500", \(config)}}
                """
        }) { stack in
            let clients = try await withThrowingTaskGroup(of: GenwireClient.self) { group in
                for _ in 0..<8 { group.addTask { try await GenwireClient.connect(to: stack.address) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let answers = await withTaskGroup(of: Bool?.self) { group in
                for index in 0..<200 {
                    group.addTask {
                        try? await clients[index % clients.count].validateAuth(model: "silent").first?.isValid
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.count == 200 && answers.allSatisfy { $0 == false })
            // Normally one; on a busy machine, calls that arrive after its end cause a few more.
            let questions = try await stack.statistic("requests")
            #expect(questions >= 1 && questions <= 20, "\(questions) questions")

            // The caller that started the probe disconnects, and the others still get the result.
            let first = try await GenwireClient.connect(to: stack.address)
            let leaving = Task { try await first.validateAuth(model: "slow") }
            #expect(try await eventually { try await stack.statistic("requests") == questions + 1 })
            let staying = clients.map { client in Task { try await client.validateAuth(model: "slow").first?.isValid } }
            await first.close()
            await #expect(throws: (any Error).self) { try await leaving.value }
            for task in staying { #expect(try await task.value == true) }
            let all = try await stack.statistic("requests")
            #expect(all <= questions + 6, "\(all - questions) questions")
            for client in clients { await client.close() }
        }
    }

    @Test func aReloadKeepsTheTokensOfWhatDidNotChange() async throws {
        try await Self.withClient(Self.configuration(Self.coin)) { client, stack in
            _ = try await client.chat(user("x", model: "gemini"))
            let path = stack.folder + "/config.yaml"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            func reload() async throws {
                let mark = "configuration reloaded"
                let before = stack.daemon.log.components(separatedBy: mark).count
                stack.daemon.signal(SIGHUP)
                try #require(
                    try await eventually(seconds: 20) {
                        stack.daemon.log.components(separatedBy: mark).count > before
                    })
            }
            for round in 0..<20 {
                // A reload may change whatever does not concern the credential.
                try (text + "\nroutes: {r\(round): {targets: [gemini, claude]}}\n")
                    .write(toFile: path, atomically: true, encoding: .utf8)
                try await reload()
            }
            for model in ["gemini", "claude"] {
                let response = try await client.chat(user("x", model: model))
                #expect(response.completion.timing.authMicroseconds == 0)
            }
            #expect(try await Self.requests(stack, "/oauth/token") == 1)
            // Another credential under the same name fetches another token.
            try text.replacing("corp-app", with: "other-app").write(toFile: path, atomically: true, encoding: .utf8)
            try await reload()
            #expect(try await eventually { try await Self.requests(stack, "/oauth/token") == 2 })
        }
    }

    @Test func aRejectedKeyIsNotTriedAgain() async throws {
        try await Stack.with(configuration: Stack.configuration(["denied": "gpt-4o#status=401"])) { stack in
            let client = try await GenwireClient.connect(to: stack.address)
            let before = try await stack.statistic("requests")
            await #expect { try await client.chat(user("x", model: "denied")) } throws: {
                ($0 as? ClientError)?.code == 16
            }
            #expect(try await stack.statistic("requests") == before + 1)
            await client.close()
        }
    }

    @Test func aTokenEndpointThatIsDown() async throws {
        // The daemon starts, calls fail in time, and calls succeed once the endpoint is back.
        try await Self.withClient(Self.configuration(Self.coin + ", scope: \"fail_first=2\"")) {
            client, stack in
            var failure: ClientError?
            do { _ = try await client.chat(user("x", model: "gemini")) } catch { failure = error as? ClientError }
            #expect(failure?.code == 14 || failure?.code == 16, "\(String(describing: failure))")
            #expect(failure?.message.contains("planted") == false)
            #expect(failure?.detail?.provider == "vertex")
            let report = try await client.validateAuth(model: "gemini").first
            #expect(report?.isValid == false && report?.status == .failed)
            #expect(
                try await eventually(seconds: 90) {
                    (try? await client.chat(user("x", model: "gemini"))) != nil
                })
        }
    }

    @Test func aRefusedClientIsAnAuthenticationError() async throws {
        try await Self.withClient(Self.configuration(Self.coin + ", scope: \"status=401,echo\"")) { client, stack in
            for _ in 0..<20 {
                do {
                    _ = try await client.chat(user("x", model: "gemini"))
                    Issue.record("it must fail")
                } catch let error as ClientError {
                    #expect(error.code == 16 && error.detail?.kind == .authentication)
                    // The endpoint echoes what it received.
                    #expect(!error.message.contains("planted-secret"), "\(error.message)")
                    #expect(error.message.contains("'a'"), "the entry is named: \(error.message)")
                }
            }
            #expect(try await Self.requests(stack, "/oauth/token") < 5, "no storm against a token endpoint")
            let auth = try await runProgram("genwire", ["auth"], environment: ["GENWIRE_CONNECT": stack.address])
            #expect(auth.code == 77 && auth.output.contains("failed") && !auth.output.contains("planted-secret"))
        }
    }

    @Test func aWaitEndsWithTheCallersDeadline() async throws {
        try await Self.withClient(Self.configuration(Self.coin + ", scope: \"stall\"")) { client, stack in
            let since = Date()
            do {
                _ = try await client.chat(user("x", model: "gemini"), deadlineMilliseconds: 700)
                Issue.record("it must fail")
            } catch let error as ClientError {
                #expect(error.code == 4)
            }
            #expect(Date().timeIntervalSince(since) < 8)
        }
    }

    @Test func googlesFilesAndDefaults() async throws {
        try await withTemporaryFolder { keys in
            let made = try await runProgram(
                "/usr/bin/openssl", ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
            #expect(made.code == 0)
            let account: [String: Any] = [
                "type": "service_account", "project_id": "p", "private_key_id": "planted-secret-kid",
                "private_key": made.output, "client_email": "sim@p.iam.gserviceaccount.com",
                "token_uri": "http://127.0.0.1:1/token",
            ]
            let path = keys + "/account.json"
            try JSONSerialization.data(withJSONObject: account).write(to: URL(fileURLWithPath: path))
            // The simulator's port is known only once it runs: the section overrides the value in the file.
            let section = "type: google_service_account, credentials_file: \"\(path)\", token_uri: \"UP/token\""
            try await Self.withClient(Self.configuration(section)) { client, stack in
                #expect(try await client.chat(user("x", model: "gemini")).completion.finishReason == .stop)
                #expect(try await Self.requests(stack, "/token") == 1)
                let last = try await Self.get(stack, "/sim/tokens/last")
                let fields = last["/token"] as? [String: Any]
                #expect("\(fields ?? [:])".contains("urn:ietf:params:oauth:grant-type:jwt-bearer"))
            }
            // Without an entry in `auth`, Vertex AI uses Google's application default credentials.
            let simulator = try RunningProgram("genwire-sim", ["--port", "0"], logPath: keys + "/sim.log")
            let line = await simulator.waitForLine(containing: "ready on")
            let upstream = line?.split(separator: " ").last.map(String.init) ?? ""
            let person: [String: Any] = [
                "type": "authorized_user", "client_id": "planted-secret-id", "client_secret": "planted-secret-x",
                "refresh_token": "planted-secret-refresh", "quota_project_id": "payer",
                "token_uri": upstream + "/token",
            ]
            try JSONSerialization.data(withJSONObject: person).write(to: URL(fileURLWithPath: keys + "/user.json"))
            let plain: @Sendable (String, String) -> String = { _, folder in
                """
                server: {listen: ["unix:\(folder)/g.sock"]}
                generation: {provider: vertex, config: {model_name: gemini-2.5-flash, project_id: p, api_base: "\(upstream)"}}
                """
            }
            try await Self.withClient(plain, environment: ["GOOGLE_APPLICATION_CREDENTIALS": keys + "/user.json"]) {
                client, _ in
                let answer = try await client.chat(user("x"))
                #expect(answer.completion.finishReason == .stop)
            }
            await simulator.stop()
        }
    }

    @Test func everyOtherKindOfEntry() async throws {
        let entries = [
            "type: azure_ad, tenant_id: t, client_id: c, client_secret: planted-secret-entra, authority_host: \"UP\"",
            "type: azure_managed_identity, endpoint: \"UP\"", "type: google_metadata, endpoint: \"UP\"",
            "type: command, command: [\"/bin/echo\", \"sim-static\"]", "type: file, path: \"FOLDER/token\"",
            "type: static, token: planted-secret-static", "type: api_key, api_key: planted-secret-key",
            "type: api_key, api_key: planted-secret-key, header: x-goog-api-key",
            "type: static, token: planted-secret-static, header: x-goog-api-key, prefix: \"\"",
        ]
        for entry in entries {
            let configuration = Self.configuration(entry)
            try await Self.withClient({ upstream, folder in
                try? "planted-secret-file".write(toFile: folder + "/token", atomically: true, encoding: .utf8)
                return configuration(upstream, folder)
            }) { client, stack in
                let answer = try await client.chat(user("x", model: "gemini"))
                #expect(answer.completion.finishReason == .stop, "\(entry)")
                let report = try await client.validateAuth(model: "gemini").first
                #expect(report?.isValid == true && report?.status == .healthy, "\(entry)")
            }
        }
    }

    @Test func askingTooOftenIsAnsweredFromMemory() async throws {
        try await Self.withClient(Self.configuration(Self.coin)) { client, stack in
            _ = try await client.chat(user("x", model: "gemini"))
            let before = try await stack.statistic("requests")
            for _ in 0..<100 {
                let isValid = try await client.validateAuth(model: "gemini").first?.isValid
                #expect(isValid == true)
            }
            let asked = try await stack.statistic("requests") - before
            #expect(asked >= 1 && asked < 40, "\(asked) questions")
        }
    }

    /// Neither the command line, nor `check`, nor an error shows a secret; `Stack.with` checks the log of every test.
    @Test func secretsStayInside() async throws {
        try await Self.withClient(Self.configuration(Self.coin)) { client, stack in
            let check = try await runProgram("genwired", ["check", "--config", stack.folder + "/config.yaml"])
            #expect(check.code == 0 && !(check.output + check.errors).contains("planted-secret"))
            for process in try FileManager.default.contentsOfDirectory(atPath: "/proc") where Int(process) != nil {
                for file in ["cmdline", "comm"] {
                    guard let data = FileManager.default.contents(atPath: "/proc/\(process)/\(file)") else { continue }
                    #expect(!String(decoding: data, as: UTF8.self).contains("planted-secret"))
                }
            }
            _ = try await Self.get(stack, "/sim/tokens/set?status=500&echo")
            _ = try await Self.get(stack, "/sim/tokens/revoke")
            var failure: ClientError?
            do { _ = try await client.chat(user("x", model: "gemini")) } catch { failure = error as? ClientError }
            #expect(failure != nil && failure?.message.contains("planted-secret") == false)
            #expect(failure?.message.contains("sim-token-") == false)
        }
    }
}
