import Foundation
import TestSupport
import Testing

/// The `genwire` command as a person and a script use it.
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
            #expect(try await genwire("auth").code == 0)
            #expect(try await genwire("tokens", "abcdefgh").output.hasPrefix("2 "))
            #expect(try await genwire("usage", "--json").output.contains("\"requests\""))
            #expect(try await genwire("repl", input: "one\n/quit\n").output.contains("You asked: one"))

            // JSON: one object, and one a line for streams.
            let object = try await genwire("--json", "generate", "x").output
            let parsed = try JSONSerialization.jsonObject(with: Data(object.utf8)) as? [String: Any]
            #expect(parsed?["finish_reason"] as? String == "FINISH_STOP")
            let lines = try await genwire("chat", "-m", "user:x", "--stream", "--json").output.split(separator: "\n")
            for line in lines { _ = try JSONSerialization.jsonObject(with: Data(line.utf8)) }
            #expect(lines.last?.contains("\"completed\"") == true)

            // No colour and no decoration where nobody watches.
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
        }
        let nobody = try await runProgram("genwire", ["--connect", "unix:/tmp/genwire-nobody.sock", "health"])
        #expect(nobody.code == 69)
        #expect(nobody.errors.contains("genwired --config"))
    }

    /// Stock clients and raw bytes: our own Python client, containerd's Go client, and frames written byte by byte.
    @Test func otherLanguages() async throws {
        let script = Interop.path("run.sh")
        let result = try await runProgram("/bin/sh", [script, Programs.folder.path])
        #expect(result.code == 0, "\(result.output.suffix(4000))\n\(result.errors.suffix(2000))")
    }
}
