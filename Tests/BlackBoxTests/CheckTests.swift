import Foundation
import TestSupport
import Testing

/// `genwired check` rejects what a start would reject, and names file, line and key.
@Suite struct CheckTests {
    private static let model = "generation: {provider: openai, config: {model_name: x, api_key: k}}\n"
    private static let tokens = "tokens: {ci: ci-token-0123456789}"

    @Test(arguments: [
        (
            "listen: [\"unix:FOLDER/a.sock\", \"unix:FOLDER/missing/g.sock\"]", "server.listen[1]",
            "mkdir -p FOLDER/missing"
        ),
        ("listen: unix:FOLDER/config.yaml", "server.listen", "not a socket"),
        ("listen: unix:FOLDER/config.yaml/g.sock", "server.listen", "is not a folder"),
        ("listen: [\"tcp:0.0.0.0:0\"]", "server.listen[0]", "server.tokens"),
        ("listen: [\"tcp:127.0.0.1:70000\"]", "server.listen[0]", "tcp:HOST:PORT"),
        // An address reserved for documentation, which no machine has (RFC 5737).
        ("listen: [\"tcp:192.0.2.1:0\"], \(tokens)", "server.listen[0]", "assign requested address"),
        ("listen: [\"tcp:no-such-host.invalid:0\"], \(tokens)", "server.listen[0]", "no-such-host.invalid"),
    ])
    func addressesThatAStartRefuses(_ server: String, _ key: String, _ mention: String) async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/config.yaml"
            try (Self.model + "server: {\(server.replacing("FOLDER", with: folder))}\n")
                .write(toFile: path, atomically: true, encoding: .utf8)
            let mention = mention.replacing("FOLDER", with: folder)
            let checked = try await runProgram("genwired", ["check", "--config", path])
            #expect(checked.code == 78, "\(checked.output)")
            #expect(checked.errors.hasPrefix("\(path):2: \(key): "), "\(checked.errors)")
            #expect(checked.errors.contains(mention), "\(checked.errors)")
            let started = try await runProgram("genwired", ["--config", path])
            #expect(started.code == 78)
            #expect(started.errors.contains(mention), "\(started.errors)")
        }
    }

    @Test func theCommandLineCountsToo() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/config.yaml"
            try (Self.model + "server: {listen: unix:\(folder)/missing/g.sock}\n")
                .write(toFile: path, atomically: true, encoding: .utf8)
            let good = try await runProgram(
                "genwired", ["check", "--config", path, "--listen", "unix:\(folder)/g.sock"])
            #expect(good.code == 0, "\(good.errors)")
            let bad = try await runProgram("genwired", ["check", "--config", path, "--listen", "tcp:0.0.0.0:0"])
            #expect(bad.code == 78)
            #expect(bad.errors.hasPrefix("\(path): --listen: "), "\(bad.errors)")
            let level = try await runProgram("genwired", ["check", "--config", path, "--log-level", "loud"])
            #expect(level.code == 64)
            // The check opened no socket and left no file.
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["config.yaml"])
        }
    }

    @Test func theSchemaAndTheReferenceArePrinted() async throws {
        let schema = try await runProgram("genwired", ["schema"])
        #expect(schema.code == 0)
        let root = try JSONSerialization.jsonObject(with: Data(schema.output.utf8)) as? [String: Any]
        #expect(root?["$schema"] as? String == "https://json-schema.org/draft/2020-12/schema")
        let definitions = try #require(root?["$defs"] as? [String: Any])
        #expect(definitions["config_azure_openai"] != nil && definitions["auth_coin"] != nil)
        let reference = try await runProgram("genwired", ["schema", "--markdown"])
        #expect(reference.code == 0)
        #expect(reference.output.hasPrefix("# Configuration\n"))
        #expect(try await runProgram("genwired", ["check", "--markdown"]).code == 64)
    }

    @Test func aMissingFileOfCertificatesIsRefused() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/config.yaml"
            try (Self.model + "tls: {ca_file: /nonexistent}\nserver: {listen: unix:\(folder)/g.sock}\n")
                .write(toFile: path, atomically: true, encoding: .utf8)
            for command in [["check", "--config", path], ["--config", path]] {
                let result = try await runProgram("genwired", command)
                #expect(result.code == 78)
                #expect(result.errors.hasPrefix("\(path):2: tls.ca_file: "), "\(result.errors)")
            }
        }
    }

    @Test func aRunningDaemonsConfigurationIsGood() async throws {
        try await Stack.with { stack in
            let port = try #require(unusedPort())
            let path = stack.folder + "/other.yaml"
            try (Self.model + "server: {listen: [\"unix:\(stack.folder)/g.sock\", \"tcp:127.0.0.1:\(port)\"]}\n")
                .write(toFile: path, atomically: true, encoding: .utf8)
            let other = try RunningProgram(
                "genwired", ["--config", path, "--listen", "tcp:127.0.0.1:\(port)"],
                logPath: stack.folder + "/other.log")
            #expect(await other.waitForLine(containing: "genwired ready") != nil)
            let result = try await runProgram("genwired", ["check", "--config", path])
            #expect(result.code == 0, "\(result.errors)")
            await other.stop()
        }
    }

    @Test func warnsOfRetiredAndUnknownModels() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/config.yaml"
            func check(_ model: String, _ more: String = "") async throws -> (code: Int32, errors: String) {
                let text = "generation: {provider: openai, config: {model_name: \(model), api_key: k}}\n"
                try (text + "server: {listen: unix:\(folder)/g.sock}\n" + more)
                    .write(toFile: path, atomically: true, encoding: .utf8)
                let result = try await runProgram("genwired", ["check", "--config", path])
                return (result.code, result.errors)
            }
            let retired = try await check("gpt-3.5-turbo-1106")
            #expect(retired.code == 0)
            #expect(
                retired.errors
                    == "\(path): warning: default: openai/gpt-3.5-turbo-1106 was retired on 2026-09-28: "
                    + "choose another model\n")
            let unknown = try await check("gpt-99")
            #expect(unknown.code == 0 && unknown.errors.contains("openai/gpt-99 is unknown"), "\(unknown.errors)")

            let facts = folder + "/facts.json"
            let files = "catalogue: {files: [\(facts)]}\n"
            try #"{"models":{"openai/gpt-99":{"context_window":5}}}"#
                .write(toFile: facts, atomically: true, encoding: .utf8)
            #expect(try await check("gpt-99", files).errors.isEmpty)
            try #"{"models":{"openai/gpt-99":{"context_windw":5}}}"#
                .write(toFile: facts, atomically: true, encoding: .utf8)
            let wrong = try await check("gpt-99", files)
            #expect(wrong.code == 78)
            #expect(
                wrong.errors.contains("\(facts): models.openai/gpt-99.context_windw: unknown fact"),
                "\(wrong.errors)")
        }
    }
}
