import Foundation
import TestSupport
import Testing

/// The `genwire` command as people and scripts use it.
@Suite struct CommandTests {
    @Test func commandsAndExitCodes() async throws {
        try await Stack.with(
            configuration: Stack.configuration([
                "limited": "gpt-4o#status=429", "denied": "gpt-4o#status=401", "broken": "gpt-4o#garbage",
                "cut": "gpt-4o#cut-after=2",
            ])
        ) { stack in
            let environment = ["GENWIRE_CONNECT": stack.address]
            func genwire(_ arguments: String..., input: String = "") async throws -> (
                code: Int32, output: String, errors: String
            ) {
                try await runProgram("genwire", arguments, environment: environment, input: input)
            }
            #expect(try await genwire("health").output.hasPrefix("serving"))
            #expect(try await genwire("health", "--deep").code == 0)
            #expect(try await genwire("generate", "Say hi").output.hasPrefix("You asked: Say hi"))
            #expect(try await genwire("generate", "-", input: "from a pipe").output.contains("from a pipe"))
            #expect(try await genwire("chat", "-m", "user:hello", "--stream").output.hasPrefix("You asked: hello"))
            #expect(try await genwire("chat", input: "piped").output.contains("piped"))
            #expect(try await genwire("models").output.contains("gpt-4o-mini"))
            let known = try await genwire("models", "--all", "openai/gpt-6*luna").output
            #expect(known.contains("RETIRES") && known.contains("1050000") && known.contains("128000"), "\(known)")
            #expect(try await genwire("auth").code == 0)
            #expect(try await genwire("tokens", "abcdefgh").output.hasPrefix("2 "))
            #expect(try await genwire("usage", "--json").output.contains("\"requests\""))
            #expect(try await genwire("repl", input: "one\n/quit\n").output.contains("You asked: one"))

            // JSON: one object, or one object per line for streams.
            let object = try await genwire("--json", "generate", "x").output
            let parsed = try JSONSerialization.jsonObject(with: Data(object.utf8)) as? [String: Any]
            #expect(parsed?["finish_reason"] as? String == "FINISH_STOP")
            let timing = parsed?["timing"] as? [String: Any]
            #expect(timing?["queue_us"] is Int && timing?["auth_us"] is Int, "\(object)")
            let chat = try await genwire("--json", "chat", "-m", "user:x").output
            let answer = try JSONSerialization.jsonObject(with: Data(chat.utf8)) as? [String: Any]
            #expect((answer?["message"] as? [String: Any])?["content"] as? String == answer?["text"] as? String)
            let lines = try await genwire("chat", "-m", "user:x", "--stream", "--json").output.split(separator: "\n")
            for line in lines { _ = try JSONSerialization.jsonObject(with: Data(line.utf8)) }
            #expect(lines.last?.contains("\"completed\"") == true)

            // No colours or decoration unless the output is a terminal.
            #expect(!object.contains("\u{1B}"))

            #expect(try await genwire("--nonsense").code == 64)
            #expect(try await genwire("chat", "-m", "nobody:hi").code == 64)
            #expect(try await genwire("--timeout", "0", "health").code == 64)
            #expect(try await genwire("--model", "limited", "generate", "x").code == 75)
            #expect(try await genwire("--model", "denied", "generate", "x").code == 77)
            #expect(try await genwire("--model", "broken", "generate", "x").code == 70)
            #expect(try await genwire("--model", "nobody", "generate", "x").code == 70)
            let cut = try await genwire("--model", "cut", "chat", "-m", "user:x", "--stream")
            #expect(cut.code == 75)
            #expect(cut.errors.contains("STREAM_INTERRUPTED"))
            let failed = try await genwire("--json", "--model", "denied", "generate", "x")
            #expect(failed.errors.contains("\"kind\":\"AUTHENTICATION\""))
            #expect(failed.errors.contains("\"attempts\":[{\"model\":\"denied\""), "\(failed.errors)")
        }
        let nobody = try await runProgram("genwire", ["--connect", "unix:/tmp/genwire-nobody.sock", "health"])
        #expect(nobody.code == 69)
        #expect(nobody.errors.contains("genwired --config"))
    }

    /// Models in addition to the default one; `BASE` stands for the simulator's address.
    private static func configuration(_ models: [String: String]) -> @Sendable (String, String) -> String {
        { upstream, folder in
            var text = Stack.configuration()(upstream, folder) + "models:\n"
            for (name, model) in models.sorted(by: { $0.key < $1.key }) {
                text +=
                    "  \(name): {provider: openai, \(model.replacing("BASE", with: "api_base: \"\(upstream)/v1\""))}\n"
            }
            return text
        }
    }

    private static let keyless =
        "optional: true, config: {model_name: gpt-4o, BASE, api_key: \"${GENWIRE_TEST_UNSET}\"}"

    @Test func exitCodesByKind() async throws {
        try await Stack.with(
            configuration: Self.configuration([
                "out-of-quota": "config: {model_name: \"gpt-4o#status=402\", BASE, api_key: k}",
                "stalls": "config: {model_name: \"gpt-4o#stall-after=1\", BASE, api_key: k}",
                "slow": "config: {model_name: \"gpt-4o#stall-after=1\", BASE, api_key: k, timeouts: {idle: 0.5}}",
            ])
        ) { stack in
            func genwire(_ arguments: String..., input: String = "") async throws -> (
                code: Int32, output: String, errors: String
            ) {
                try await runProgram("genwire", ["--connect", stack.address] + arguments, input: input)
            }
            // A size above a limit: retrying does not help.
            let large = try await genwire("generate", "-", input: String(repeating: "x", count: 5 << 20))
            #expect(large.code == 70, "\(large.errors)")
            #expect(try await genwire("--model", "out-of-quota", "generate", "x").code == 70)
            // Timeouts: the upstream's and the caller's.
            let slow = try await genwire("--json", "--model", "slow", "generate", "x")
            #expect(slow.errors.contains("\"kind\":\"TIMEOUT\""), "\(slow.errors)")
            #expect(slow.errors.contains("\"retryable\":true"), "\(slow.errors)")
            #expect(slow.code == 75)
            #expect(try await genwire("--timeout", "5", "--model", "stalls", "generate", "x").code == 75)
        }
    }

    @Test func authIsWellWithoutTheKeysOfOptionalModels() async throws {
        try await Stack.with(configuration: Self.configuration(["keyless": Self.keyless])) { stack in
            let result = try await runProgram("genwire", ["--connect", stack.address, "--json", "auth"])
            #expect(result.code == 0, "\(result.errors)")
            let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
            let results = object?["results"] as? [[String: Any]] ?? []
            let told = results.map { ($0["valid"] as? Bool, $0["optional"] as? Bool, $0["status"] as? String) }
            #expect(told.contains { $0 == (false, true, "unconfigured") }, "\(result.output)")
            #expect(told.contains { $0.0 == true && $0.1 == false }, "\(result.output)")
            // A caller that names the model asks whether it works.
            let named = try await runProgram("genwire", ["--connect", stack.address, "--model", "keyless", "auth"])
            #expect(named.code == 77)
        }
    }

    /// A rejected key is a failure, even for an optional model.
    @Test(arguments: ["", "optional: true, "])
    func authFailsOverAWrongKey(_ prefix: String) async throws {
        let wrong = prefix + "config: {model_name: gpt-4o, BASE, api_key: sim-token-unknown}"
        try await Stack.with(configuration: Self.configuration(["wrong": wrong, "keyless": Self.keyless])) { stack in
            let result = try await runProgram("genwire", ["--connect", stack.address, "auth"])
            #expect(result.code == 77, "\(result.output)")
        }
    }

    @Test func promptsThatBeginWithADash() async throws {
        try await Stack.with { stack in
            for prompt in ["- hello", "-hello", "-5", "-- h"] {
                let result = try await runProgram("genwire", ["--connect", stack.address, "generate", prompt])
                #expect(result.code == 0)
                #expect(result.output.hasPrefix("You asked: \(prompt)"), "\(result.output)")
            }
            let tools = stack.folder + "/tools.json"
            try #"[{"name": "f", "paramters": {"type": "object"}}]"#.write(
                toFile: tools, atomically: true, encoding: .utf8)
            let result = try await runProgram(
                "genwire", ["--connect", stack.address, "chat", "-m", "user:x", "--tools", tools])
            #expect(result.code == 64)
            #expect(result.errors.contains("did you mean 'parameters'?"), "\(result.errors)")
        }
    }

    /// Stock clients and raw bytes: the project's Python client, containerd's Go client, and frames written by hand.
    @Test func otherLanguages() async throws {
        let script = Interop.path("run.sh")
        let result = try await runProgram("/bin/sh", [script, Programs.folder.path])
        #expect(result.code == 0, "\(result.output.suffix(4000))\n\(result.errors.suffix(2000))")
    }
}
