import Foundation
import Testing

@testable import Config

@Suite("A reload")
struct ChangesTests {
    private static let old = """
        server: {listen: [unix:a], loops: 2, token: t23456789abcdefg, allow_uids: [0]}
        generation: {provider: openai, config: {model_name: gpt-4, api_key: k, extra_body: {a: [1, {b: c}]}}}
        models:
          m: {provider: groq, config: {model_name: m, auth: corp}}
        routes: {r: {targets: [default, m]}}
        auth: {corp: {type: coin, token_url: "https://t", client_id: c, client_secret: s, extra: {x: y}}}
        generators: {g: {model: m}}
        limits: {max_connections: 9}
        log: {level: debug}
        """

    @Test(
        "tells what it takes over",
        arguments: [
            ("", "", []), ("server: {listen: [unix:a]", "# a comment\n\nserver: {listen: [unix:b]", []),
            ("api_key: k", "api_key: other", ["model default changed"]),
            ("b: c", "b: d", ["model default changed"]),
            ("m: {provider: groq", "m: {optional: true, provider: groq", ["model m changed"]),
            ("client_secret: s", "client_secret: z", ["credential corp changed"]),
            ("x: y", "x: z", ["credential corp changed"]), ("[default, m]", "[m]", ["route r changed"]),
            ("routes: {r:", "routes: {s:", ["route r removed", "route s added"]),
            ("{g: {model: m}}", "{g: {model: r}}", ["generator g changed"]),
            ("t23456789abcdefg", "t23456789abcdefh", ["who may call changed"]),
            ("allow_uids: [0]", "allow_gids: [0]", ["who may call changed"]),
            ("loops: 2", "loops: 3, drain_timeout: 1", ["server.drain_timeout changed"]),
            ("generators:", "timeouts: {idle: 9}\ngenerators:", ["model default changed", "model m changed"]),
        ])
    func changes(_ text: String, _ replacement: String, _ expected: [String]) throws {
        let (old, new) = try Self.pair(text, replacement)
        #expect(new.changes(since: old) == expected)
    }

    @Test(
        "tells what takes a restart",
        arguments: [
            ("", "", []), ("api_key: k", "api_key: other", []), ("unix:a", "unix:b", ["server.listen"]),
            ("loops: 2", "admin: \"127.0.0.1:1\"", ["server.admin", "server.loops"]),
            (
                "max_connections: 9", "max_message_bytes: 2048",
                ["limits.max_connections", "limits.max_message_bytes"]
            ),
            (
                "limits: {max_connections: 9}", "tls: {insecure_skip_verify: true}",
                [
                    "limits.max_connections", "tls.insecure_skip_verify",
                ]
            ),
            ("{level: debug}", "{format: json}", ["log.level", "log.format"]),
        ])
    func keysForRestart(_ text: String, _ replacement: String, _ expected: [String]) throws {
        let (old, new) = try Self.pair(text, replacement)
        #expect(new.keysForRestart(since: old) == expected)
    }

    private static func pair(_ text: String, _ replacement: String) throws -> (Configuration, Configuration) {
        let changed = text.isEmpty ? Self.old : Self.old.replacing(text, with: replacement)
        if !text.isEmpty { try #require(changed != Self.old) }
        return (try parse(Self.old), try parse(changed))
    }

    @Test("the README has the list of them")
    func readme() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
        let list = Configuration.startOnlyKeys.map { "`\($0)`" }.joined(separator: ", ")
        #expect(text.contains("take a restart, and the log warns where one changed: \(list)."))
    }
}
