import Foundation
import Generation
import GenwireClient
import Messages
import TestSupport
import Testing

/// A caller that gives up frees its upstream request, in every phase and in every way of giving up.
@Suite struct CancellationTests {
    private static let configuration = Stack.configuration(
        [
            "silent": "gpt-4o#never-answer", "stalls": "gpt-4o#stall-after=2", "limited": "gpt-4o#status=429",
        ], extra: "")

    @Test func cancellingTheTaskClosesTheUpstream() async throws {
        try await Stack.with(configuration: Self.configuration) { stack in
            let client = try await GenwireClient.connect(to: stack.address)
            var expected = 0
            for model in ["silent", "stalls"] {
                let stream = Task { await collect(client.streamChat(user("x", model: model))) }
                #expect(try await eventually { try await stack.statistic("active_streams") == 1 })
                stream.cancel()
                #expect(await stream.value.error?.code == 1, "\(model)")
                expected += 1
                #expect(try await eventually { try await stack.statistic("cancelled_streams") == expected })

                let unary = Task { () -> Int32 in
                    do throws(ClientError) {
                        _ = try await client.chat(user("x", model: model))
                        return 0
                    } catch { return error.code }
                }
                #expect(try await eventually { try await stack.statistic("active_streams") == 1 })
                unary.cancel()
                #expect(await unary.value == 1, "\(model)")
                expected += 1
                #expect(try await eventually { try await stack.statistic("cancelled_streams") == expected })
            }
            await client.close()
        }
    }

    @Test func disconnectAndDeadlineCloseTheUpstream() async throws {
        try await Stack.with(configuration: Self.configuration) { stack in
            let leaving = try await GenwireClient.connect(to: stack.address)
            let streams = (0..<5).map { _ in Task { await collect(leaving.streamChat(user("x", model: "stalls"))) } }
            #expect(try await eventually { try await stack.statistic("active_streams") == 5 })
            await leaving.close()
            #expect(try await eventually { try await stack.statistic("active_streams") == 0 })
            for stream in streams { #expect(await stream.value.error != nil) }

            let client = try await GenwireClient.connect(to: stack.address)
            for model in ["silent", "stalls"] {
                let result = await collect(client.streamChat(user("x", model: model), deadlineMilliseconds: 150))
                #expect(result.error?.code == 4)
                #expect(result.error?.detail?.kind == .timeout)
            }
            #expect(try await eventually { try await stack.statistic("active_streams") == 0 })
            // Usage includes an estimate of the tokens delivered before the end.
            // A deadline counts as a failure; a caller that cancels or disconnects does not.
            let usage = try await client.usage().first { $0.model == "stalls" }
            #expect((usage?.outputTokens ?? 0) > 0 && usage?.successfulRequests == 0)
            #expect(usage?.failedRequests == 1 && usage?.cancelledRequests == usage.map { $0.requests - 1 })
            await client.close()
        }
    }

    @Test func aBackoffSleepIsCutShort() async throws {
        try await Stack.with(configuration: { upstream, folder in
            """
            server: {listen: ["unix:\(folder)/g.sock"]}
            generation: {provider: openai, config: {model_name: "gpt-4o#status=429", api_base: "\(upstream)/v1", api_key: k}}
            retry: {max_attempts: 5}
            """
        }) { stack in
            let client = try await GenwireClient.connect(to: stack.address)
            let call = Task { () -> Int32 in
                do throws(ClientError) {
                    _ = try await client.generate("x")
                    return 0
                } catch { return error.code }
            }
            #expect(try await eventually { try await stack.statistic("requests") == 1 })
            call.cancel()
            #expect(await call.value == 1)
            #expect(try await stack.statistic("requests") == 1)
            await client.close()
        }
    }

    @Test func aReaderThatStopsPausesItsUpstreamAndNobodyElses() async throws {
        try await Stack.with(simulator: ["--tokens", "100000"]) { stack in
            let slow = try await GenwireClient.connect(to: stack.address)
            // Nothing iterates the stream, so its connection stops reading.
            let unread = slow.streamChat(user("x"))
            try await Task.sleep(nanoseconds: 500_000_000)
            let before = stack.daemon.residentBytes
            let client = try await GenwireClient.connect(to: stack.address)
            #expect(try await client.health().status == .serving)
            try await Task.sleep(nanoseconds: 500_000_000)
            #expect(stack.daemon.residentBytes - before < 8 << 20)
            #expect(try await stack.statistic("active_streams") == 1)
            // The stream resumes where it paused, and nothing is lost.
            let whole = await collect(unread)
            #expect(whole.error == nil)
            #expect(whole.text.split(separator: " ").count == 100_000)
            await slow.close()
            await client.close()
        }
    }
}
