import Foundation
import Generation
import GenwireClient
import TestSupport
import Testing

/// The request log of the real daemon: one line per call, whatever its outcome, without any content.
@Suite struct RequestLogTests {
    private static let configuration = Stack.configuration([
        "broken": "gpt-4o#status=500", "stalls": "gpt-4o#stall-after=2",
    ])

    @Test func everyCallHasOneLine() async throws {
        try await Stack.with(configuration: Self.configuration) { stack in
            func line(_ part: String) async -> [Substring] {
                let line = await stack.daemon.waitForLine(containing: part) ?? ""
                #expect(line.contains(" info genwired: call id="))
                return line.split(separator: " ")
            }
            let client = try await GenwireClient.connect(to: stack.address)
            let words = "a prompt that nobody else reads"

            _ = try await client.generate(words)
            let generated = await line("operation=Generate")
            for pair in [
                "caller=uid:\(getuid())", "model=default", "target=default", "provider=openai", "attempts=1",
                "http_status=200", "outcome=success",
            ] {
                #expect(generated.contains { $0 == pair }, "\(pair) in \(generated)")
            }
            #expect(generated.contains { $0.hasPrefix("output_tokens=") && $0 != "output_tokens=0" })
            #expect(!generated.contains { $0.hasPrefix("first_token_ms=") })

            _ = try await client.chat(user(words))
            #expect(await line("operation=Chat").contains("outcome=success"))
            #expect(await collect(client.streamChat(user(words))).error == nil)
            let streamed = await line("operation=StreamChat")
            #expect(streamed.contains { $0.hasPrefix("first_token_ms=") } && streamed.contains("outcome=success"))

            await #expect(throws: ClientError.self) { try await client.chat(user(words, model: "broken")) }
            let failed = await line("target=broken")
            #expect(failed.contains("outcome=failure") && failed.contains("error_kind=PROVIDER_UNAVAILABLE"))
            await #expect(throws: ClientError.self) { try await client.chat(user(words, model: "no such\nmodel")) }
            #expect(await line(#"model="no such\nmodel""#).contains("error_kind=UNKNOWN_MODEL"))

            _ = await collect(client.streamChat(user(words, model: "stalls"), deadlineMilliseconds: 150))
            let late = await line("outcome=deadline")
            #expect(late.contains("target=stalls") && late.contains("tokens=estimated"))
            let leaving = try await GenwireClient.connect(to: stack.address)
            let stream = Task { await collect(leaving.streamChat(user(words, model: "stalls"))) }
            #expect(try await eventually { try await stack.statistic("active_streams") == 1 })
            await leaving.close()
            _ = await stream.value
            #expect(await line("outcome=caller_gone").contains("target=stalls"))

            // RPCs without generation have no line.
            _ = try await client.health()
            await client.close()
            await stack.daemon.stop()
            let log = stack.daemon.log
            #expect(log.split(separator: "\n").filter { $0.contains(": call id=") }.count == 7)
            #expect(!log.contains("nobody else reads") && !log.contains("You asked"))
        }
    }

    /// Calls that a drain ends are logged before the daemon exits.
    @Test func aDrainWritesTheLastLines() async throws {
        let configuration: @Sendable (String, String) -> String = { upstream, folder in
            Self.configuration(upstream, folder)
                .replacingOccurrences(of: "server: {", with: "server: {drain_timeout: 0, ")
        }
        try await Stack.with(configuration: configuration) { stack in
            let client = try await GenwireClient.connect(to: stack.address)
            let stream = Task { await collect(client.streamChat(user("x", model: "stalls"))) }
            #expect(try await eventually { try await stack.statistic("active_streams") == 1 })
            await stack.daemon.stop()
            _ = await stream.value
            #expect(stack.daemon.log.contains("outcome=shutting_down"))
            await client.close()
        }
    }
}
