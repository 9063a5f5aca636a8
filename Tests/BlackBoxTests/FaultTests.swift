import Foundation
import Generation
import GenwireClient
import Messages
import TestSupport
import Testing

/// Every vendor fault ends in its own clear error, and leaks nothing.
@Suite struct FaultTests {
    struct Expectation: Sendable, CustomTestStringConvertible {
        var fault: String
        /// The status code that ends a stream; 0 if the fault has no streamed form.
        var code: Int32
        var kind: GenerationError.Kind
        var phase: GenerationError.TimeoutPhase?
        /// The error kind of a unary call; `nil` if the fault has no unary form.
        var unary: GenerationError.Kind?
        var testDescription: String { fault }
    }

    private static let expectations: [Expectation] = [
        .init(fault: "never-answer", code: 4, kind: .timeout, phase: .firstToken, unary: .timeout),
        .init(fault: "stall-after=3", code: 4, kind: .timeout, phase: .idle, unary: nil),
        .init(fault: "slow-drip=300", code: 4, kind: .timeout, phase: .total, unary: .timeout),
        .init(fault: "cut-after=3", code: 14, kind: .streamInterrupted, unary: nil),
        .init(fault: "cut-unary", code: 0, kind: .streamInterrupted, unary: .streamInterrupted),
        .init(fault: "no-done", code: 14, kind: .streamInterrupted, unary: nil),
        .init(fault: "garbage-event", code: 13, kind: .badProviderResponse, unary: .badProviderResponse),
        .init(fault: "garbage", code: 13, kind: .badProviderResponse, unary: .badProviderResponse),
        .init(fault: "error-event", code: 14, kind: .providerUnavailable, unary: nil),
        .init(fault: "status=400", code: 3, kind: .invalidRequest, unary: .invalidRequest),
        .init(fault: "status=401", code: 16, kind: .authentication, unary: .authentication),
        .init(fault: "status=402", code: 8, kind: .quotaExhausted, unary: .quotaExhausted),
        .init(fault: "status=403", code: 7, kind: .permission, unary: .permission),
        .init(fault: "status=404", code: 5, kind: .unknownModel, unary: .unknownModel),
        .init(fault: "status=408", code: 14, kind: .providerUnavailable, unary: .providerUnavailable),
        .init(fault: "status=422", code: 3, kind: .invalidRequest, unary: .invalidRequest),
        .init(fault: "status=429", code: 8, kind: .rateLimit, unary: .rateLimit),
        .init(fault: "status=500", code: 14, kind: .providerUnavailable, unary: .providerUnavailable),
        .init(fault: "status=503", code: 14, kind: .overloaded, unary: .overloaded),
        .init(fault: "html", code: 14, kind: .providerUnavailable, unary: .providerUnavailable),
        .init(fault: "html-200", code: 13, kind: .badProviderResponse, unary: .badProviderResponse),
        .init(fault: "empty-200", code: 13, kind: .badProviderResponse, unary: .badProviderResponse),
        .init(fault: "error-200", code: 14, kind: .providerUnavailable, unary: .providerUnavailable),
        .init(fault: "huge-line=50", code: 13, kind: .badProviderResponse, unary: nil),
        .init(fault: "huge-body=50", code: 13, kind: .badProviderResponse, unary: .badProviderResponse),
        .init(fault: "close-before-answer", code: 14, kind: .network, unary: .network),
    ]

    /// One model per fault. Only those that must time out have short timeouts: the others may wait for a busy machine.
    private static let configuration: @Sendable (String, String) -> String = { upstream, folder in
        var text = """
            server: {listen: ["unix:\(folder)/g.sock"]}
            generation: {provider: openai, config: {model_name: gpt-4o, api_base: "\(upstream)/v1", api_key: k}}
            retry: {max_attempts: 1}
            models:

            """
        for (index, expected) in expectations.enumerated() {
            let timeouts =
                switch expected.phase {
                case .firstToken: ", timeouts: {first_token: 0.5}"
                case .idle: ", timeouts: {first_token: 30, idle: 0.5, total: 20}"
                case .total: ", timeouts: {total: 2}"
                default: ""
                }
            text += "  m\(index): {provider: openai, config: {model_name: \"gpt-4o#\(expected.fault)\", "
            text += "api_base: \"\(upstream)/v1\", api_key: k\(timeouts)}}\n"
        }
        return text
    }

    @Test func everyFaultHasItsOwnEndAndLeavesNothingBehind() async throws {
        try await Stack.with(simulator: ["--chunk-interval", "5"], configuration: Self.configuration) { stack in
            let client = try await GenwireClient.connect(to: stack.address)
            _ = try await client.generate("warm up")
            // The first round fills the pool of idle upstream connections; the next rounds must open no more.
            await provokeAll(client)
            let descriptors = stack.daemon.descriptorCount
            for _ in 0..<2 { await provokeAll(client) }
            // Other calls are unaffected, and no resource is held.
            #expect(try await client.generate("still there").completion.finishReason == .stop)
            let isClean = try await eventually { stack.daemon.descriptorCount <= descriptors + 10 }
            #expect(isClean, "\(stack.daemon.descriptorCount) descriptors against \(descriptors)")
            #expect(stack.daemon.residentBytes < 256 << 20)
            await client.close()
        }
    }

    /// Provokes every fault concurrently, streamed and unary, and checks how each call ends.
    private func provokeAll(_ client: GenwireClient) async {
        await withTaskGroup(of: Void.self) { group in
            for (index, expected) in Self.expectations.enumerated() {
                if expected.code != 0 {
                    group.addTask {
                        let result = await collect(client.streamChat(user("hello there friend", model: "m\(index)")))
                        #expect(result.completion == nil, "\(expected.fault) must not look complete")
                        #expect(
                            result.error?.detail?.kind == expected.kind,
                            "\(expected.fault): \(String(describing: result.error))")
                        #expect(result.error?.code == expected.code, "\(expected.fault)")
                        #expect(result.error?.detail?.timeoutPhase == expected.phase, "\(expected.fault)")
                        #expect(result.error?.detail?.attempts.count == 1)
                        if expected.kind == .rateLimit {
                            #expect(result.error?.detail?.retryAfterMilliseconds == 2000)
                        }
                    }
                }
                guard let unary = expected.unary else { continue }
                group.addTask {
                    do throws(ClientError) {
                        _ = try await client.chat(user("hello", model: "m\(index)"))
                        Issue.record("\(expected.fault) must fail a unary call")
                    } catch {
                        #expect(error.detail?.kind == unary, "\(expected.fault), unary: \(error)")
                    }
                }
            }
        }
    }

    /// The request is not at fault, and streaming, which the caller already uses, is no workaround.
    @Test func aPieceOfAStreamThatIsTooLarge() async throws {
        try await withTemporaryFolder { folder in
            let event = #"{"choices":[{"delta":{"content":"\#(String(repeating: "x", count: 20_000))"}}]}"#
            let script = folder + "/script.json"
            try JSONSerialization.data(withJSONObject: [["status": 200, "events": [event]]])
                .write(to: URL(fileURLWithPath: script))
            try await Stack.with(
                simulator: ["--script", script],
                configuration: { upstream, folder in
                    "server: {listen: [\"unix:\(folder)/g.sock\"]}\nlimits: {max_message_bytes: 16384}\nmodels:\n"
                        + RecordingTests.section("m", "openai", "m", upstream)
                }
            ) { stack in
                let client = try await GenwireClient.connect(to: stack.address)
                let result = await collect(client.streamChat(user("x", model: "m")))
                #expect(result.error?.code == 8 && result.error?.detail?.kind == .badProviderResponse)
                #expect(result.error?.detail?.isRetryable == false)
                let words = result.error?.detail?.message ?? ""
                #expect(words.contains("a message of the stream has 2") && words.contains("16384"), "\(words)")
                #expect(!words.contains("streaming method"), "\(words)")
                await client.close()
            }
        }
    }

    @Test func aVendorThatIsNotThere() async throws {
        try await Stack.with(configuration: { upstream, folder in
            """
            server: {listen: ["unix:\(folder)/g.sock"]}
            retry: {max_attempts: 2, initial_backoff: 0.01}
            models:
              refused: {provider: openai, config: {model_name: x, api_base: "http://127.0.0.1:1/v1", api_key: k}}
              nowhere: {provider: openai, config: {model_name: x, api_base: "http://no-such-host.invalid/v1", api_key: k}}
              works: {provider: openai, config: {model_name: gpt-4o, api_base: "\(upstream)/v1", api_key: k}}
            routes:
              resilient: {strategy: fallback, targets: [refused, works]}
            """
        }) { stack in
            let client = try await GenwireClient.connect(to: stack.address)
            for model in ["refused", "nowhere"] {
                do throws(ClientError) {
                    _ = try await client.chat(user("x", model: model))
                    Issue.record("\(model) must fail")
                } catch {
                    #expect(error.detail?.kind == .network, "\(error)")
                    #expect(error.detail?.attempts.count == 2)
                }
            }
            // The route falls back to the model that works, and the response lists every attempt.
            let answer = try await client.chat(user("x", model: "resilient"))
            #expect(answer.completion.attempts.map(\.model) == ["refused", "refused", "works"])
            let streamed = await collect(client.streamChat(user("x", model: "resilient")))
            #expect(streamed.error == nil && streamed.completion?.attempts.count == 3)
            #expect(try await client.health(deep: true).status == .degraded)
            await client.close()
        }
    }

    @Test func retriesStopAtTheFirstContentAndHonourTheVendor() async throws {
        try await Stack.with(
            simulator: ["--fault", "refuse-times=2"],
            configuration: { upstream, folder in
                """
                server: {listen: ["unix:\(folder)/g.sock"]}
                generation: {provider: openai, config: {model_name: gpt-4o, api_base: "\(upstream)/v1", api_key: k}}
                models:
                  cut: {provider: openai, config: {model_name: "gpt-4o#cut-after=3", api_base: "\(upstream)/v1", api_key: k}}
                retry: {max_attempts: 3, initial_backoff: 0.02}
                """
            }
        ) { stack in
            let client = try await GenwireClient.connect(to: stack.address)
            let answer = try await client.generate("x")
            #expect(answer.completion.attempts.map(\.status) == [503, 503, 200])
            let cut = await collect(client.streamChat(user("x y z", model: "cut")))
            #expect(cut.error?.detail?.kind == .streamInterrupted)
            #expect(cut.error?.detail?.attempts.count == 1)
            #expect(!cut.text.isEmpty)
            await client.close()
        }
    }

    /// A redirect is not retried; the errors for a redirect and for a proxy's HTML page have readable texts.
    @Test func redirectsAreFinalAndPagesAreWords() async throws {
        try await withTemporaryFolder { folder in
            let script = folder + "/script.json"
            try
                #"[{"status":308,"headers":{"location":"https://moved.example/v2?key=sk-planted-secret-0123456789"},"body":"<p>moved</p>","match":{"model":"moved"}}]"#
                .write(toFile: script, atomically: true, encoding: .utf8)
            let configuration = Stack.configuration(["moved": "moved", "page": "gpt-4o#html"])
            try await Stack.with(
                simulator: ["--script", script],
                configuration: { upstream, folder in
                    configuration(upstream, folder).replacing("max_attempts: 1", with: "initial_backoff: 0.01")
                }
            ) { stack in
                let client = try await GenwireClient.connect(to: stack.address)
                var redirect: ClientError?
                do { _ = try await client.chat(user("x", model: "moved")) } catch { redirect = error as? ClientError }
                let streamed = await collect(client.streamChat(user("x", model: "moved"))).error
                for error in [redirect, streamed] {
                    let detail = try #require(error?.detail)
                    #expect(detail.attempts.count == 1 && !detail.isRetryable && detail.httpStatus == 308)
                    #expect(error?.message.contains("https://moved.example/v2,") == true, "\(detail.message)")
                    #expect(error?.message.contains("api_base") == true)
                }
                #expect(try await stack.statistic("requests") == 2)
                var page: ClientError?
                do { _ = try await client.chat(user("x", model: "page")) } catch { page = error as? ClientError }
                #expect(
                    page?.message.hasSuffix("HTTP 502: 502 Bad Gateway nginx") == true, "\(String(describing: page))")
                #expect(page?.detail?.attempts.count == 3)
                await client.close()
            }
        }
    }

    @Test func secretsNeverComeBack() async throws {
        try await Stack.with(simulator: ["--api-key", "another-key"]) { stack in
            let client = try await GenwireClient.connect(to: stack.address)
            do throws(ClientError) {
                _ = try await client.generate("x")
                Issue.record("a wrong key must fail")
            } catch {
                #expect(error.code == 16)
                #expect(error.message.contains("Incorrect API key provided"))
                #expect(!"\(error) \(String(describing: error.detail))".contains("sk-planted"))
            }
            let auth = try await client.validateAuth()
            #expect(auth.allSatisfy { !$0.isValid && !$0.detail.contains("sk-planted") })
            await client.close()
            let check = try await runProgram("genwired", ["check", "--config", stack.folder + "/config.yaml"])
            #expect(check.code == 0)
            #expect(!(check.output + check.errors + stack.daemon.log).contains("sk-planted"))
            let arguments = try String(contentsOfFile: "/proc/\(stack.daemon.processID)/cmdline", encoding: .utf8)
            #expect(!arguments.contains("sk-planted"))
        }
    }
}
