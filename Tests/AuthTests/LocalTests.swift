import Config
import Foundation
import Generation
import JSON
import TestSupport
import Testing

@testable import Auth

@Suite("A token file")
struct FileTests {
    @Test("is read again when it changes")
    func rotation() async throws {
        try await withTemporaryFolder { folder in
            try await Harness.run { harness in
                let path = folder + "/token"
                try write(" first \n", to: path)
                let credential = try await harness.credential("type: file, path: \(path)")
                let token = try await harness.token(credential).get()
                #expect(token.value.reveal() == "first")
                // The file was read again and is unchanged: no new token.
                #expect(
                    try await eventually {
                        _ = credential.current
                        return (credential.state.secondsSinceRefresh ?? 9) < 0.5 && credential.current != nil
                    })
                #expect(credential.current?.generation == token.generation)
                try write("second", to: path)
                #expect(try await eventually { credential.current?.value.reveal() == "second" })
                // The file is gone: the old token stays in use, and the state becomes stale.
                unlink(path)
                let isStale = try await eventually {
                    _ = credential.current
                    return credential.state.status == .stale
                }
                #expect(isStale)
                #expect(credential.current?.value.reveal() == "second")
                #expect(credential.state.lastError?.contains(path) == true)
            }
        }
    }

    @Test(
        "must contain a token and nothing else",
        arguments: [
            ("", "is empty"), (" \n\t ", "is empty"), ("two words", "spaces"), ("a\u{0}b", "characters"),
            ("tökén", "characters"), (String(repeating: "x", count: 70_000), "larger than"),
        ])
    func badFiles(_ text: String, _ expected: String) async throws {
        try await withTemporaryFolder { folder in
            try await Harness.run { harness in
                try write(text, to: folder + "/token")
                let credential = try await harness.credential("type: file, path: \(folder)/token")
                let error = try await harness.error(credential)
                #expect(error.message.contains(expected), "\(error)")
                #expect([16, 14].contains(error.kind.statusCode))
            }
        }
    }

    @Test("that blocks is refused")
    func pipe() async throws {
        try await withTemporaryFolder { folder in
            try await Harness.run { harness in
                #expect(mkfifo(folder + "/token", 0o600) == 0)
                let credential = try await harness.credential("type: file, path: \(folder)/token")
                #expect(try await harness.error(credential).message.contains("not a regular file"))
            }
        }
    }
}

@Suite("A token command")
struct CommandTests {
    private func run(
        _ script: String, _ more: String = "", timing: CacheTiming = CacheTiming(),
        _ body: @escaping (Harness, Credential) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            try await Harness.run { harness in
                try write(script, to: folder + "/script")
                let credential = try await harness.credential(
                    "type: command, command: [/bin/sh, \(folder)/script]\(more)",
                    environment: ["PATH": "/usr/bin:/bin", "FLAVOUR": "vanilla"], timing: timing)
                try await body(harness, credential)
            }
        }
    }

    @Test("prints a token")
    func bare() async throws {
        try await run("echo \"token-$FLAVOUR\"") { harness, credential in
            let text = try await harness.text(credential)
            #expect(text == "token-vanilla")
            #expect(credential.state.expiresInSeconds == nil)
        }
    }

    @Test(
        "prints JSON",
        arguments: [
            ("{\"access_token\": \"t\", \"expires_in\": 1000}", ""),
            ("{\"accessToken\": \"t\", \"expires_in\": \"1000\"}", ""),
            (
                "{\"status\": {\"token\": \"t\", \"ttl\": 1000}}",
                ", token_path: status.token, expiry_path: status.ttl"
            ),
        ])
    func json(_ output: String, _ more: String) async throws {
        try await run("echo '\(output)'", more) { harness, credential in
            let text = try await harness.text(credential)
            #expect(text == "t")
            let left = try #require(credential.state.expiresInSeconds)
            #expect((900...1000).contains(left))
        }
    }

    @Test(
        "reports how it failed",
        arguments: [
            ("exit 3", "code 3"), ("true", "printed nothing"), ("echo 's3cret with spaces'", "spaces"),
            ("echo '{\"s3cret\"'", "not a JSON object"), ("echo '{\"s3cret\": 1}'", "no string at 'access_token'"),
            ("head -c 100000 /dev/zero", "more than 65536 bytes"), ("echo s3cret; kill -9 $$", "signal 9"),
        ])
    func failures(_ script: String, _ expected: String) async throws {
        try await run(script) { harness, credential in
            let error = try await harness.error(credential)
            #expect(error.message.contains(expected), "\(error)")
            #expect(!error.message.contains("s3cret"))
            #expect([16, 14].contains(error.kind.statusCode))
        }
    }

    @Test("that hangs is killed, with its child processes")
    func hanging() async throws {
        var timing = CacheTiming()
        timing.refreshTimeout = 0.5
        try await run("sleep 1000 & sleep 1000", timing: timing) { harness, credential in
            let error = try await harness.error(credential)
            #expect(error.message.contains("timed out") || error.message.contains("0.5 s"))
        }
    }
}
