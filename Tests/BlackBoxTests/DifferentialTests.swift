import Foundation
import Generation
import GenwireClient
import Messages
import TestSupport
import Testing

/// The daemon's catalogue against the simulator's strictness, which have their facts from different sources: what the
/// daemon calls supported, the vendor serves; and with `drop_unsupported`, the vendor refuses nothing at all. Every
/// option and some combinations, for every model of the catalogue.
@Suite struct DifferentialTests {
    private struct Family: Sendable {
        let provider: String
        let model: String
    }

    private struct Disagreement: Hashable, Sendable {
        let provider: String
        let model: String
        let settings: [String]
        /// The vendor's, without the model's name.
        let words: String
    }

    /// One option, as a caller sets it.
    private struct Setting: Sendable {
        let name: String
        /// What `ListModels` calls it; empty for what every model has.
        let capability: String
        let apply: @Sendable (inout ChatRequest) -> Void

        init(_ name: String, _ capability: String = "", _ apply: @escaping @Sendable (inout ChatRequest) -> Void) {
            self.name = name
            self.capability = capability
            self.apply = apply
        }
    }

    /// How a call ended.
    private enum Outcome: Sendable {
        case served
        /// The daemon refused it, before the vendor was asked.
        case refused
        /// The vendor refused what the daemon let pass, in these words.
        case disagreement(String)
    }

    private static let tool = Tool(
        name: "get_weather", description: "The weather in a city",
        parametersJSON: #"{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}"#)
    private static let schema =
        #"{"type":"object","properties":{"city":{"type":"string"},"n":{"type":"integer","minimum":1}},"required":["city"]}"#

    private static let settings: [Setting] =
        [
            Setting("nothing") { _ in }, Setting("max_tokens=10") { $0.options.maxTokens = 10 },
            Setting("max_tokens=4000") { $0.options.maxTokens = 4000 },
            Setting("max_tokens=1000000") { $0.options.maxTokens = 1_000_000 },
            Setting("temperature=0", "temperature") { $0.options.temperature = 0 },
            Setting("temperature=0.7", "temperature") { $0.options.temperature = 0.7 },
            Setting("temperature=1.5", "temperature") { $0.options.temperature = 1.5 },
            Setting("top_p=0.9", "top_p") { $0.options.topP = 0.9 },
            Setting("top_k=5", "top_k") { $0.options.topK = 5 },
            Setting("stop", "stop") { $0.options.stop = ["never-said"] },
            Setting("seed", "seed") { $0.options.seed = 7 },
            Setting("presence_penalty", "presence_penalty") { $0.options.presencePenalty = 0.5 },
            Setting("frequency_penalty", "frequency_penalty") { $0.options.frequencyPenalty = 0.5 },
            Setting("user", "user") { $0.options.user = "someone" },
            Setting("json_object", "json_object") { $0.options.responseFormat = .jsonObject },
            Setting("json_schema", "json_schema") {
                $0.options.responseFormat = .jsonSchema(schema: schema, name: "place", strict: nil)
            }, Setting("reasoning.include") { $0.options.reasoning.include = true },
            Setting("parallel_tool_calls=false", "parallel_tool_calls") {
                $0.tools = [tool]
                $0.options.parallelToolCalls = false
            }, Setting("tools", "tools") { $0.tools = [tool] },
            Setting("tool_choice=none", "tools") {
                $0.tools = [tool]
                $0.toolChoice = ToolChoice.none
            },
            Setting("tool_choice=required", "tools") {
                $0.tools = [tool]
                $0.toolChoice = .required
            },
            Setting("tool_choice=named", "tools") {
                $0.tools = [tool]
                $0.toolChoice = .named("get_weather")
            }, Setting("prefill") { $0.messages.append(Message(role: .assistant, content: "{")) },
            Setting("system") { $0.messages.insert(Message(role: .system, content: "Be brief."), at: 0) },
            Setting("image", "images") { $0.messages[$0.messages.count - 1].parts = [image(.data([1, 2, 3]))] },
            Setting("image_url", "image_urls") {
                $0.messages[$0.messages.count - 1].parts = [image(.url("http://127.0.0.1:9/x.png"))]
            },
            Setting("file", "files") {
                let file = File(mimeType: "application/pdf", name: "a.pdf", source: .data([1, 2, 3]))
                $0.messages[$0.messages.count - 1].parts = [.file(file)]
            },
            Setting("history", "tools") {
                $0.messages = foreignLoop(); $0.tools = [tool]
            },
        ]
        + ["none", "minimal", "low", "medium", "high", "xhigh", "max"].map { effort in
            Setting("effort=\(effort)", "reasoning_effort") { $0.options.reasoning.effort = effort }
        }
        + ([0, -1, 2000, 30000] as [Int]).map { budget in
            Setting("budget=\(budget)", "reasoning_budget") { $0.options.reasoning.budgetTokens = budget }
        }

    private static func image(_ source: MediaSource) -> Part { .image(Image(mimeType: "image/png", source: source)) }

    /// A loop of a tool that another vendor's model began: without any vendor's state.
    private static func foreignLoop() -> [Message] {
        var call = Message(role: .assistant, content: "")
        call.toolCalls = [ToolCall(id: "call_1", name: "get_weather", argumentsJSON: #"{"city":"Paris"}"#)]
        return [
            Message(role: .user, content: "Say in json: how is it in Paris?"), call,
            Message(role: .tool, content: "21 degrees", toolCallID: "call_1"),
        ]
    }

    /// The models of the catalogue that generate; a dated version only where the name without its date is not there.
    private static func families() throws -> [Family] {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Sources/Providers/Catalogue/models.json")
        let root = try JSONSerialization.jsonObject(with: Data(contentsOf: path)) as? [String: Any]
        let models = try #require(root?["models"] as? [String: [String: Any]])
        // Names that rules for families cover, and names of one's own.
        let more = [
            "openai/deepseek-v4-pro", "openai/kimi-k2.5", "openai/llama-on-a-server", "openai/gpt-5.1-2025-11-13",
            "azure_openai/my-gpt5-prod", "groq/qwen/qwen3-32b", "groq/llama-3.3-70b-versatile",
            "anthropic/claude-opus-4-1", "anthropic/claude-sonnet-4-20250514", "anthropic/claude-3-7-sonnet-20250219",
            "gemini/gemini-2.0-flash",
        ]
        return (models.keys.sorted() + more).compactMap { key in
            let facts = models[key] ?? [:]
            guard facts["kind"] == nil else { return nil }
            let bare = key.replacing(/[-@](20\d{2}-?\d{2}-?\d{2}|\d{4}|\d{2}-20\d{2})$/, with: "")
            guard bare == key || models[bare] == nil else { return nil }
            let parts = key.split(separator: "/", maxSplits: 1).map(String.init)
            return parts.count == 2 ? Family(provider: parts[0], model: parts[1]) : nil
        }
    }

    /// Each setting alone, and combinations of three that are the same in every run.
    private static func combinations(seed: Int) -> [[Setting]] {
        var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
        func next() -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33)
        }
        let pairs = (0..<20).map { _ in (0..<3).map { _ in settings[next() % settings.count] } }
        return settings.map { [$0] } + pairs
    }

    private static func configuration(_ families: [Family]) -> @Sendable (String, String) -> String {
        { upstream, folder in
            var text = "server: {listen: [\"unix:\(folder)/g.sock\"]}\nretry: {max_attempts: 1}\nmodels:\n"
            for (index, family) in families.enumerated() {
                text += RecordingTests.section("m\(index)", family.provider, family.model, upstream)
            }
            return text
        }
    }

    private static func outcome(_ client: GenwireClient, _ request: ChatRequest, streams: Bool) async -> Outcome {
        do {
            if streams {
                for try await _ in client.streamChat(request) {}
            } else {
                _ = try await client.chat(request)
            }
            return .served
        } catch {
            guard let detail = error.detail, detail.httpStatus == 0,
                detail.kind == .unsupported || detail.kind == .invalidRequest
            else { return .disagreement(error.message) }
            return .refused
        }
    }

    /// The models of each disagreement, one kind a line; a combination only for words that no setting alone has.
    private static func summary(_ disagreements: [Disagreement]) -> String {
        let alone = disagreements.filter { $0.settings.count == 1 }
        let explained = Set(alone.map { [$0.provider, $0.model, $0.words] })
        let rest = disagreements.filter {
            $0.settings.count > 1 && !explained.contains([$0.provider, $0.model, $0.words])
        }
        let kinds = Dictionary(grouping: alone + rest) {
            "\($0.provider) \($0.settings.count == 1 ? $0.settings[0] : "combinations"): \($0.words)"
        }
        let lines = kinds.map { kind, entries in
            let example = entries[0].settings.count == 1 ? "" : ", as in \(entries[0].settings)"
            return "\(kind) (\(Set(entries.map(\.model)).sorted().joined(separator: " "))\(example))"
        }
        return lines.sorted().prefix(300).joined(separator: "\n")
    }

    @Test(arguments: [false, true]) func whatTheDaemonLetsPassTheVendorServes(_ drops: Bool) async throws {
        let families = try Self.families()
        #expect(families.count > 100)
        try await Stack.with(configuration: Self.configuration(families)) { stack in
            let client = try await GenwireClient.connect(to: stack.address)
            let listed = try await client.listModels().models
            let capabilities = Dictionary(uniqueKeysWithValues: listed.map { ($0.name, Set($0.capabilities)) })
            var counts = (served: 0, refused: 0)
            var disagreements: [Disagreement] = []
            for (index, family) in families.enumerated() {
                let combinations = Self.combinations(seed: index)
                // One family at a time, its calls together: few connections, and a bound on what is in flight.
                await withTaskGroup(of: (Int, Outcome).self) { group in
                    for (place, settings) in combinations.enumerated() {
                        var request = user("Say in json: how is it in Paris?", model: "m\(index)")
                        request.options.dropUnsupported = drops
                        // The conversation comes first: what else is set changes it.
                        for setting in settings.sorted(by: { $0.name == "history" && $1.name != "history" }) {
                            setting.apply(&request)
                        }
                        group.addTask { [request] in
                            (place, await Self.outcome(client, request, streams: place % 4 == 0))
                        }
                    }
                    for await (place, outcome) in group {
                        switch outcome {
                        case .served: counts.served += 1
                        case .refused: counts.refused += 1
                        case .disagreement(let words):
                            // Without `drop_unsupported`, the daemon leaves it to the vendor to refuse what it does
                            // not call supported.
                            let supported = capabilities["m\(index)"] ?? []
                            let isCalledSupported = combinations[place].allSatisfy {
                                $0.capability.isEmpty || supported.contains($0.capability)
                            }
                            guard drops || isCalledSupported else {
                                counts.refused += 1
                                continue
                            }
                            disagreements.append(
                                Disagreement(
                                    provider: family.provider, model: family.model,
                                    settings: combinations[place].map(\.name),
                                    words: words.replacing(family.model, with: "MODEL")))
                        }
                    }
                }
            }
            await client.close()
            // Nor does the daemon refuse everything, which would agree with any vendor.
            #expect(counts.served > families.count * 20, "\(counts)")
            #expect(disagreements.isEmpty, "\(disagreements.count), \(counts):\n\(Self.summary(disagreements))")
        }
    }
}
