import Config
import Foundation
import Generation
import JSON
import Testing

@testable import Providers

/// What goes out depends on what the catalogue knows of the model.
@Suite struct ModelFactsRequestTests {
    private static func request(_ change: (inout GenerationOptions) -> Void = { _ in }) -> ChatRequest {
        var request = ChatRequest(messages: [Message(role: .user, content: "x")])
        change(&request.options)
        return request
    }

    /// The sample configuration's defaults.
    private static func configured(_ provider: String, _ name: String) throws -> DialectHarness {
        try DialectHarness(provider, name) { model in
            model.maxTokens = 4096
            model.temperature = 0.7
            model.topP = 0.95
            model.stop = ["END"]
            model.presencePenalty = 0.5
        }
    }

    // MARK: - Parameters

    @Test(arguments: ["gpt-6-sol", "gpt-6.1-sol", "chat-latest", "ft:o4-mini-2025-04-16:acme::x", "gpt-5-mini", "o3"])
    func defaultsThatReasoningModelsRefuseAreWithheld(_ name: String) throws {
        for provider in ["openai", "azure_openai"] {
            let body = try Self.configured(provider, name).body(Self.request())
            #expect(body["max_completion_tokens"] == 4096 && body["max_tokens"] == nil, "\(provider)")
            for key in ["temperature", "top_p", "stop", "presence_penalty"] { #expect(body[key] == nil, "\(key)") }
        }
    }

    @Test func deploymentsHaveTheFactsOfWhatTheyRun() throws {
        #expect(try Self.configured("azure_openai", "my-gpt5-prod").body(Self.request())["temperature"] == nil)
        let named = try DialectHarness("azure_openai", "prod") { model in
            model[AzureOpenAI.baseModel] = "gpt-4o"
            model.temperature = 0.7
            model.maxTokens = 10
        }
        let body = try named.body(Self.request())
        #expect(body["temperature"] == 0.7 && body["max_tokens"] == 10)
        #expect(named.model.facts.contextWindow == 128_000)
    }

    @Test func olderAndForeignModelsKeepTheirDefaults() throws {
        for name in ["gpt-4o", "gpt-4.1-mini", "qwen3:8b", "meta/llama-4"] {
            let body = try Self.configured("openai", name).body(Self.request())
            #expect(body["max_tokens"] == 4096 && body["temperature"] == 0.7 && body["stop"] == ["END"], "\(name)")
        }
    }

    @Test func whatIsRefusedIsDroppedOnlyIfWished() throws {
        let harness = try DialectHarness("openai", "gpt-6-sol")
        let asked = Self.request {
            $0.temperature = 0.5
            $0.stop = ["X"]
        }
        #expect(try harness.body(asked)["temperature"] == 0.5, "the vendor says what is wrong")
        var dropping = asked
        dropping.options.dropUnsupported = true
        let (body, warnings) = try harness.encode(dropping)
        #expect(body["temperature"] == nil && body["stop"] == nil && warnings.count == 2)
    }

    @Test func gpt54TakesTemperatureWhereItDoesNotReason() throws {
        let harness = try DialectHarness("openai", "gpt-5.4") { $0.temperature = 0.7 }
        #expect(try harness.body(Self.request())["temperature"] == 0.7)
        #expect(try harness.body(Self.request { $0.reasoning.effort = "none" })["temperature"] == 0.7)
        #expect(try harness.body(Self.request { $0.reasoning.effort = "high" })["temperature"] == nil)
        #expect(harness.model.capabilityNames.contains("temperature"))
        let later = try DialectHarness("openai", "gpt-5.6") { $0.temperature = 0.7 }
        #expect(try later.body(Self.request())["temperature"] == nil)
        #expect(try later.body(Self.request { $0.reasoning.effort = "none" })["temperature"] == 0.7)
        #expect(!later.model.capabilityNames.contains("temperature"))
    }

    @Test(arguments: ["gemini-2.5-flash", "gemini-3.7-flash", "gemini-3.8-flash", "gemini-4-argon"])
    func geminiRefusesPenalties(_ name: String) throws {
        let harness = try DialectHarness("vertex", name) { $0.frequencyPenalty = 0.5 }
        let (body, warnings) = try harness.encode(
            Self.request {
                $0.presencePenalty = 0.5
                $0.dropUnsupported = true
            })
        #expect(body["generationConfig"] == nil && warnings.count == 1)
        #expect(!harness.model.capabilityNames.contains("presence_penalty"))
    }

    @Test func newGeminiModelsIgnoreSampling() throws {
        for name in ["gemini-3.7-flash", "gemini-4-argon"] {
            #expect(try Self.configured("gemini", name).body(Self.request())["generationConfig"]?["temperature"] == nil)
        }
        let body = try Self.configured("gemini", "gemini-3-flash-preview").body(Self.request())
        #expect(body["generationConfig"]?["temperature"] == 0.7)
    }

    @Test(arguments: ["claude-opus-4-1", "claude-sonnet-4-5", "claude-opus-4-6"])
    func claudeTakesTemperatureOrTopP(_ name: String) throws {
        let harness = try Self.configured("anthropic", name)
        let own = try harness.body(Self.request())
        #expect(own["temperature"] == 0.7 && own["top_p"] == nil)
        let asked = try harness.body(Self.request { $0.topP = 0.5 })
        #expect(asked["temperature"] == nil && asked["top_p"] == 0.5)
        let both = Self.request {
            $0.temperature = 0.5
            $0.topP = 0.5
        }
        let error = #expect(throws: GenerationError.self) { try harness.body(both) }
        #expect(error?.kind == .unsupported)
        var dropping = both
        dropping.options.dropUnsupported = true
        let (body, warnings) = try harness.encode(dropping)
        #expect(body["temperature"] == 0.5 && body["top_p"] == nil && warnings.count == 1)
        #expect(throws: GenerationError.self) { try harness.body(Self.request { $0.temperature = 1.5 }) }
        let hot = try DialectHarness("anthropic", name) { $0.temperature = 1.5 }
        #expect(try hot.body(Self.request())["temperature"] == 1)
    }

    // MARK: - Limits

    @Test func claudeGetsItsOwnLimit() throws {
        #expect(try DialectHarness("anthropic", "claude-opus-5-5").body(Self.request())["max_tokens"] == 128_000)
        #expect(try DialectHarness("anthropic", "claude-sonnet-4-5").body(Self.request())["max_tokens"] == 64_000)
        #expect(
            try DialectHarness("anthropic", "claude-3-haiku-20240307").body(Self.request())["max_tokens"] == 4096)
        let asked = Self.request { $0.maxTokens = 7 }
        #expect(try DialectHarness("anthropic", "claude-opus-5-5").body(asked)["max_tokens"] == 7)
        let configured = try DialectHarness("anthropic", "claude-sonnet-4-5") { $0.maxTokens = 1_000_000 }
        #expect(try configured.body(Self.request())["max_tokens"] == 64_000)
    }

    // MARK: - Reasoning

    @Test(arguments: [
        ("gemini-3.8-flash", "none", "LOW"), ("gemini-3.8-flash", "minimal", "LOW"),
        ("gemini-3.7-flash", "xhigh", "HIGH"), ("gemini-3.1-pro-preview", "max", "HIGH"),
        ("gemini-4-argon", "medium", "MEDIUM"), ("gemini-flash-latest", "high", "HIGH"),
        ("gemini-pro-latest", "low", "LOW"), ("gemini-3-flash-preview", "none", "MINIMAL"),
        ("gemma-4-31b-it", "none", "MINIMAL"), ("gemma-4-31b-it", "medium", "HIGH"),
    ])
    func geminiLevels(_ name: String, _ effort: String, _ level: String) throws {
        let (body, warnings) = try DialectHarness("gemini", name).encode(
            Self.request { $0.reasoning.effort = effort })
        #expect(body["generationConfig"]?["thinkingConfig"] == ["thinkingLevel": .string(level)])
        #expect(warnings.isEmpty == (effort.uppercased() == level), "\(warnings)")
    }

    @Test func geminiBudgets() throws {
        func thinking(_ name: String, _ change: (inout GenerationOptions) -> Void) throws -> JSONValue? {
            try DialectHarness("vertex", name).body(Self.request(change))["generationConfig"]?["thinkingConfig"]
        }
        #expect(try thinking("gemini-2.5-pro") { $0.reasoning.budgetTokens = 0 } == ["thinkingBudget": 128])
        #expect(try thinking("gemini-2.5-pro") { $0.reasoning.effort = "none" } == ["thinkingBudget": 128])
        #expect(try thinking("gemini-2.5-pro") { $0.reasoning.budgetTokens = -1 } == ["thinkingBudget": -1])
        // Thoughts of a model that does not think are refused.
        let silent = try thinking("gemini-2.5-flash") {
            $0.reasoning.effort = "none"
            $0.reasoning.include = true
        }
        #expect(silent == ["thinkingBudget": 0])
        #expect(try thinking("gemini-3.8-flash") { $0.reasoning.budgetTokens = 0 } == ["thinkingLevel": "LOW"])
    }

    @Test(arguments: [
        ("claude-opus-5-5", "none", "adaptive", "low"), ("claude-fable-5-1", "none", "adaptive", "low"),
        ("claude-sonnet-5-5", "none", "between_tools", ""), ("claude-haiku-5-5", "none", "disabled", ""),
        ("claude-opus-4-7", "none", "disabled", ""), ("claude-opus-4-7", "minimal", "adaptive", "low"),
        ("claude-opus-4-6", "xhigh", "adaptive", "high"), ("claude-sonnet-4-5", "high", "enabled", ""),
        ("claude-sonnet-4-5", "none", "", ""),
    ])
    func claudeThinking(_ name: String, _ effort: String, _ type: String, _ sent: String) throws {
        let body = try DialectHarness("anthropic", name).body(Self.request { $0.reasoning.effort = effort })
        #expect(body["thinking"]?["type"]?.string ?? "" == type)
        #expect(body["thinking"]?["budget_tokens"] == (type == "enabled" ? 16384 : nil))
        #expect(body["output_config"]?["effort"]?.string ?? "" == sent)
    }

    @Test func effortsOfChatCompletions() throws {
        func effort(_ provider: String, _ name: String, _ effort: String) throws -> JSONValue? {
            try DialectHarness(provider, name).body(Self.request { $0.reasoning.effort = effort })["reasoning_effort"]
        }
        #expect(try effort("groq", "openai/gpt-oss-120b", "none") == "low")
        #expect(try effort("groq", "openai/gpt-oss-120b", "xhigh") == "high")
        #expect(try effort("groq", "qwen/qwen3-32b", "high") == "default")
        #expect(try effort("groq", "qwen/qwen3-32b", "none") == "none")
        #expect(try effort("openai", "gpt-6-astra", "none") == "low")
        #expect(try effort("openai", "gpt-6-sol", "none") == "none")
        #expect(try effort("openai", "gpt-6-sol", "max") == "max")
        #expect(try effort("openai", "qwen3:8b", "xhigh") == "xhigh")
        for (provider, name) in [("openai", "gpt-4o"), ("groq", "llama-3.3-70b-versatile")] {
            #expect(throws: GenerationError.self) { try effort(provider, name, "low") }
        }
    }

    // MARK: - Places

    @Test(arguments: [
        ("gemini-3.8-flash", "global"), ("gemini-4-argon", "global"), ("gemini-2.5-flash", "us-central1"),
        ("gemini-9", "global"), ("projects/7/locations/r/endpoints/12", "us-central1"),
    ])
    func regions(_ name: String, _ region: String) throws {
        let harness = try DialectHarness("vertex", name) { $0[GoogleCloud.region] = nil }
        let path = name.hasPrefix("projects/") ? "/projects/7/" : "/locations/\(region)/"
        #expect(harness.model.endpoints.whole.contains(path))
        #expect(harness.model.facts.region == region)
    }

    @Test func versionsOfAzure() throws {
        func url(_ name: String) throws -> String { try DialectHarness("azure_openai", name).model.endpoints.whole }
        // One that serves them all, whatever a deployment is called.
        for name in ["o3-mini", "gpt-5", "gpt-4o", "prod"] {
            #expect(try url(name).hasSuffix("api-version=2025-04-01-preview"))
        }
    }

    // MARK: - Notices

    /// The sample configuration names models that live for another year.
    @Test func sampleConfigurationNamesModelsThatLive() throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("config.yaml").path
        let configuration = try Configuration.load(
            path: path, environment: ["PROJECT_ID": "p"], knownProviders: ProviderRegistry.keys)
        #expect(configuration.allModels.count > 5)
        let today = try #require(Day("2027-11-24"))
        for model in configuration.allModels {
            #expect(ConfiguredModel.notice(of: model, in: .embedded, today: today) == nil)
        }
    }

    @Test func noticesOfRetirementAndUnknownNames() throws {
        func notice(_ provider: String, _ name: String, on day: String, base: String? = nil) throws -> String? {
            var model = ModelConfiguration(name: "m", provider: provider, modelName: name)
            model[AzureOpenAI.baseModel] = base
            return ConfiguredModel.notice(of: model, in: .embedded, today: try #require(Day(day)))
        }
        #expect(try notice("vertex", "gemini-2.5-flash", on: "2026-08-20") == nil)
        #expect(try notice("vertex", "gemini-2.5-flash", on: "2026-08-21")?.contains("in 60 days") == true)
        #expect(try notice("vertex", "gemini-2.5-flash", on: "2026-10-20")?.contains("was retired") == true)
        #expect(try notice("openai", "gpt-9", on: "2026-08-20")?.contains("newest of its family") == true)
        #expect(try notice("openai", "qwen", on: "2026-08-20")?.contains("is unknown") == true)
        #expect(try notice("openai", "gpt-6-sol", on: "2026-08-20") == nil)
        #expect(try notice("azure_openai", "my-gpt5", on: "2026-08-20")?.contains("base_model") == true)
        #expect(try notice("azure_openai", "prod", on: "2026-08-20")?.contains("base_model") == true)
        #expect(try notice("azure_openai", "prod", on: "2026-08-20", base: "gpt-6-sol") == nil)
        for text in ["", "2026-13-01", "2026-02-31", "26-01-01", "2026-1-01", "2026-01-01x"] {
            #expect(Day(text) == nil)
        }
        #expect(Day("1970-01-02")?.number == 1)
    }
}
