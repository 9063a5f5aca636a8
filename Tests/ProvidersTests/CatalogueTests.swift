import Foundation
import JSON
import Testing

@testable import Providers

@Suite struct CatalogueTests {
    static func facts(_ provider: String, _ name: String) -> ModelFacts {
        Catalogue.embedded.facts(provider: provider, name: name)
    }

    @Test func findsEveryEntryOfTheMap() throws {
        let keys = EmbeddedModels.keys
        #expect(keys.count > 300)
        #expect(keys == keys.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) })
        for key in keys {
            let stated = try #require(EmbeddedModels.entry(key), "\(key)")
            _ = try ModelFacts(stated)
        }
        for key in ["", "a", "openai/", "openai/gpt-", "zzz/zzz", "anthropic/0", "vertex/zzzz"] {
            #expect(EmbeddedModels.entry(key) == nil)
        }
    }

    @Test func readsLimitsPricesAndRetirement() {
        let facts = Self.facts("openai", "gpt-6-sol")
        #expect(facts.origin == .listed)
        #expect(facts.contextWindow == 1_050_000)
        #expect(facts.maxOutputTokens == 128_000)
        #expect(facts.prices == .init(input: 2, output: 10, cachedInput: 0.2, cacheWrite: 2.5))
        #expect(Self.facts("vertex", "gemini-2.5-flash").retiresOn == "2026-10-20")
        #expect(Self.facts("gemini", "gemini-2.5-flash").retiresOn == nil)
        #expect(Self.facts("openai", "text-embedding-3-large").dimensions == 3072)
    }

    @Test(arguments: [
        ("openai", "GPT-6-Sol", ModelFacts.Origin.listed), ("openai", "gpt-6-sol-2027-01-15", .listed),
        ("openai", "ft:gpt-5-mini-2025-08-07:acme::a1b2", .listed),
        ("openai", "ft:o4-mini-2025-04-16:acme::x", .listed),
        ("openai", "openai/gpt-6-sol", .listed), ("openai", "gpt-7", .family), ("openai", "qwen3:8b", .unknown),
        ("anthropic", "claude-sonnet-4-5-20250929", .listed), ("anthropic_vertex", "claude-opus-5-5@20261001", .listed),
        ("anthropic", "claude-opus-7", .family), ("gemini", "models/gemini-3.8-flash", .listed),
        ("vertex", "gemini-5-pro", .family), ("azure_openai", "my-gpt5-prod", .alias("gpt-5")),
        ("azure_openai", "GPT4-o", .alias("gpt-4o")), ("azure_openai", "gpt-6-sol", .listed),
        ("azure_openai", "prod", .family), ("groq", "openai/gpt-oss-120b", .listed), ("groq", "llama-9", .family),
    ])
    func knowsTheFormsOfNames(provider: String, name: String, origin: ModelFacts.Origin) {
        #expect(Self.facts(provider, name).origin == origin)
    }
    // MARK: - What vendors accept, by model

    @Test(arguments: [
        "gpt-6-sol", "gpt-6-astra", "gpt-6.1-sol", "gpt-7", "chat-latest", "ft:o4-mini-2025-04-16:acme::x",
    ])
    func newestOpenAIModelsTakeNoSamplingParameters(name: String) {
        for provider in ["openai", "azure_openai"] {
            let facts = Self.facts(provider, name)
            #expect(facts.maxTokensField == .maxCompletionTokens, "\(provider)")
            #expect(!facts.temperature && !facts.topP && !facts.penalties && !facts.stop, "\(provider)")
            #expect(facts.reasoning.control == .effort, "\(provider)")
        }
    }

    @Test func functionsNeedTheResponsesAPIFromGPT54On() {
        #expect(Self.facts("openai", "gpt-5").chatTools == .always)
        #expect(Self.facts("openai", "gpt-5.2").chatTools == .always)
        for name in ["gpt-5.4", "gpt-5.6", "gpt-6-sol", "gpt-7"] {
            #expect(Self.facts("openai", name).chatTools == .withoutReasoning, "\(name)")
            #expect(Self.facts("openai", name).endpoints == [.chat, .responses], "\(name)")
        }
        for name in ["gpt-6-astra", "gpt-6.1-sol"] {
            #expect(!Self.facts("openai", name).reasoning.efforts.contains(.none), "\(name)")
        }
        for name in ["gpt-5-codex", "gpt-5.5-pro", "o3-pro", "gpt-6-pro"] {
            #expect(Self.facts("openai", name).endpoints == [.responses], "\(name)")
        }
        #expect(Self.facts("openai", "qwen3:8b").endpoints == [.chat])
    }

    @Test func gpt5TakesTemperatureOnlyWithoutReasoning() {
        for name in ["gpt-5.1", "gpt-5.4"] {
            let facts = Self.facts("openai", name)
            #expect(facts.temperature && facts.sampling == .withoutReasoning, "\(name)")
            #expect(facts.reasoning.defaultEffort == Optional.some(.none), "\(name)")
            #expect(!facts.stop, "\(name)")
        }
        #expect(!Self.facts("openai", "gpt-5").temperature)
        #expect(Self.facts("openai", "gpt-5.6").reasoning.defaultEffort == .medium)
    }

    @Test func olderOpenAIModelsDoNotReason() {
        for name in ["gpt-4o", "gpt-4.1-mini", "gpt-3.5-turbo", "chatgpt-4o-latest", "ft:gpt-4o-2024-08-06:acme::x"] {
            let facts = Self.facts("openai", name)
            #expect(facts.reasoning.control == .none, "\(name)")
            #expect(facts.temperature && facts.stop && facts.maxTokensField == .maxTokens, "\(name)")
        }
        #expect(!Self.facts("openai", "o3").parallelToolCalls)
        #expect(!Self.facts("openai", "o4-mini").parallelToolCalls)
        #expect(Self.facts("groq", "llama-3.3-70b-versatile").reasoning.control == .none)
        #expect(Self.facts("groq", "openai/gpt-oss-120b").reasoning.efforts == [.low, .medium, .high])
    }

    @Test func claude5() {
        for name in ["claude-opus-5-5", "claude-fable-5-1", "claude-opus-6"] {
            let facts = Self.facts("anthropic", name)
            #expect(!facts.forcedTools && facts.thinkingIsBound && facts.reasoning.isAlwaysOn, "\(name)")
            #expect(facts.reasoning.off == nil, "\(name)")
            #expect(facts.reasoning.control == .adaptive && !facts.temperature && facts.maxOutputTokens == 128_000)
        }
        #expect(Self.facts("anthropic", "claude-sonnet-5-5").reasoning.off == .betweenTools)
        #expect(Self.facts("anthropic", "claude-haiku-5-5").reasoning.off == .disabled)
        #expect(Self.facts("anthropic", "claude-opus-5").forcedTools)
        #expect(!Self.facts("anthropic", "claude-opus-5").reasoning.isAlwaysOn)
    }

    @Test func olderClaude() {
        for name in ["claude-opus-4-1", "claude-sonnet-4-5-20250929", "claude-opus-4-6"] {
            let facts = Self.facts("anthropic", name)
            #expect(facts.temperature && facts.topP && !facts.temperatureWithTopP, "\(name)")
            #expect(facts.maxTemperature == 1 && facts.forcedTools && !facts.thinkingIsBound, "\(name)")
        }
        #expect(Self.facts("anthropic", "claude-opus-4-1-20250805").reasoning.control == .budget)
        #expect(Self.facts("anthropic", "claude-opus-4-6").reasoning.control == .adaptive)
        #expect(!Self.facts("anthropic", "claude-opus-4-7").temperature)
        for name in ["claude-3-haiku-20240307", "claude-3-5-haiku-20241022"] {
            #expect(!Self.facts("anthropic", name).jsonSchema, "\(name)")
            #expect(Self.facts("anthropic", name).reasoning.control == .none, "\(name)")
        }
        #expect(!Self.facts("anthropic", "claude-mythos-preview").temperature)
        #expect(!Self.facts("anthropic_vertex", "claude-opus-5-5").acceptsURLs)
        #expect(Self.facts("anthropic_vertex", "claude-sonnet-4-6").jsonSchema)
        #expect(!Self.facts("anthropic_vertex", "claude-sonnet-4").jsonSchema)
    }

    /// The list of all models says the same of a model as the list of configured ones.
    @Test func listsWhatModelsSupport() throws {
        func listed(_ name: String) throws -> [String] {
            try #require(Catalogue.embedded.known.first { $0.provider == "openai" && $0.name == name }).capabilities
        }
        #expect(try listed("text-embedding-3-small") == ["embed"])
        #expect(try listed("gpt-6-sol").contains("builtin_tools"))
        for name in ["gpt-6-sol", "gpt-4o", "text-embedding-3-small"] {
            #expect(try listed(name) == DialectHarness("openai", name).model.capabilityNames, "\(name)")
        }
    }

    @Test func gemini() {
        for name in ["gemini-3.8-flash", "gemini-4-argon", "gemini-flash-latest", "gemini-pro-latest", "gemini-5-pro"] {
            let facts = Self.facts("vertex", name)
            #expect(facts.region == "global" && !facts.penalties && facts.needsThoughtSignatures, "\(name)")
            #expect(facts.reasoning.control == .level && facts.reasoning.efforts == [.low, .medium, .high], "\(name)")
            #expect(!facts.temperature && !facts.topP && !facts.topK, "\(name)")
        }
        #expect(Self.facts("gemini", "gemini-3.1-pro-preview").reasoning.efforts == [.low, .medium, .high])
        #expect(Self.facts("gemini", "gemini-3-flash-preview").reasoning.efforts.first == .minimal)
        #expect(Self.facts("gemini", "gemini-3-flash-preview").temperature)
        #expect(!Self.facts("gemini", "gemini-3.7-flash").temperature)
        let pro = Self.facts("vertex", "gemini-2.5-pro")
        #expect(pro.reasoning.control == .budget && pro.reasoning.clamped(0) == 128 && !pro.penalties)
        #expect(pro.temperature && pro.region == "us-central1")
        #expect(Self.facts("gemini", "gemini-2.5-flash").reasoning.clamped(0) == 0)
        #expect(Self.facts("gemini", "gemma-4-31b-it").reasoning.efforts == [.minimal, .high])
        #expect(Self.facts("gemini", "gemini-1.5-pro-002").reasoning.control == .none)
        #expect(Self.facts("gemini", "gemini-1.5-pro-002").penalties)
    }

    @Test func azureVersionsAndEmbeddings() {
        #expect(Self.facts("azure_openai", "o3-mini").apiVersion == "2024-12-01-preview")
        #expect(Self.facts("azure_openai", "gpt-5-mini").apiVersion == "2025-04-01-preview")
        #expect(Self.facts("azure_openai", "gpt-4o").apiVersion == nil)
        #expect(Self.facts("vertex", "gemini-embedding-001").embeddingBatch == 1)
        #expect(Self.facts("gemini", "gemini-embedding-001").embeddingMethod == .batchEmbedContents)
        #expect(Self.facts("openai", "deepseek-reasoner").sendsReasoningBack)
    }

    @Test(arguments: [
        ("none", ["low", "medium", "high"], "low"), ("minimal", ["none", "low", "high"], "low"),
        ("xhigh", ["low", "medium", "high", "max"], "high"), ("max", ["low", "medium"], "medium"),
        ("medium", ["minimal", "high"], "high"), ("high", ["none", "medium"], "medium"), ("low", [], "low"),
        ("high", ["medium"], "medium"), ("none", ["none", "low"], "none"),
    ])
    func takesTheNearestEffort(wanted: String, allowed: [String], taken: String) throws {
        typealias Effort = ModelFacts.Reasoning.Effort
        var reasoning = ModelFacts.Reasoning()
        reasoning.efforts = allowed.compactMap { Effort(rawValue: $0) }
        #expect(reasoning.nearest(to: try #require(Effort(rawValue: wanted))).rawValue == taken)
    }

    // MARK: - The operator's files

    @Test func operatorsFilesWin() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("catalogue-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func write(_ name: String, _ text: String) throws -> String {
            let file = folder.appendingPathComponent(name)
            try text.write(to: file, atomically: true, encoding: .utf8)
            return file.path
        }
        _ = try write("a.json", #"{"models":{"openai/gpt-6-sol":{"context_window":7,"retires_on":"2027-01-31"}}}"#)
        _ = try write("b.json", #"{"models":{"openai/gpt-6-sol":{"context_window":8,"cache_write_price":null}}}"#)
        _ = try write("ignored.txt", "not JSON")
        let last = try write(
            "last",
            """
            {"rules":[{"providers":["openai"],"match":["my-*"],"facts":{"temperature":false},"source":"its manual"}],
             "models":{"openai/my-model":{"reasoning":"none"}},
             "aliases":[{"providers":["azure_openai"],"match":["prod-?"],"means":"gpt-4o"}]}
            """)
        let catalogue = try Catalogue(folder: folder.path, files: [last])
        let facts = catalogue.facts(provider: "openai", name: "gpt-6-sol")
        #expect(facts.contextWindow == 8)
        #expect(facts.retiresOn == "2027-01-31")
        #expect(facts.prices.cacheWrite == nil)
        #expect(facts.prices.input == 2)
        #expect(catalogue.facts(provider: "openai", name: "my-model").origin == .listed)
        #expect(!catalogue.facts(provider: "openai", name: "my-other").temperature)
        #expect(catalogue.facts(provider: "azure_openai", name: "prod-1").origin == .alias("gpt-4o"))
        #expect(catalogue.names(provider: "openai").contains("my-model"))
        #expect(try Catalogue(folder: folder.path + "/none", files: []).names(provider: "groq").count > 3)
    }

    @Test(arguments: [
        ("[", "not valid JSON"), ("[]", "must be an object"), (#"{"model":{}}"#, "model: unknown key"),
        (#"{"models":[]}"#, "models: must be an object"),
        (#"{"models":{"gpt-6":{}}}"#, "models.gpt-6: must be PROVIDER/MODEL_NAME"),
        (#"{"models":{"openai/":{}}}"#, "models.openai/: must be PROVIDER/MODEL_NAME"),
        (#"{"models":{"openai/a":{"contextwindow":1}}}"#, "did you mean 'context_window'?"),
        (#"{"models":{"openai/a":{"context_window":"big"}}}"#, "openai/a.context_window: must be a whole number"),
        (#"{"models":{"openai/a":{"retires_on":"soon"}}}"#, "must be a day, YYYY-MM-DD"),
        (#"{"models":{"openai/a":{"efforts":["huge"]}}}"#, "must be a list of some of: none, minimal"),
        (#"{"models":{"openai/a":{"reasoning":"much"}}}"#, "must be one of: none, effort"),
        (#"{"models":{"openai/a":{"region":"a/../b"}}}"#, "region: must be a word"),
        (#"{"rules":[{"match":["a"],"facts":{}}]}"#, "rules[0].source: is missing"),
        (#"{"rules":[{"match":[],"source":"x"}]}"#, "rules[0].match: must be a list of 1 to 64 patterns"),
        (#"{"rules":[{"match":["*****"],"source":"x"}]}"#, "at most 4 '*'"),
        (#"{"rules":[{"providers":["nobody"],"match":["a"],"source":"x"}]}"#, "rules[0].providers: must be a list"),
        (#"{"aliases":[{"match":["a"]}]}"#, "aliases[0].means: must be the name of a model"),
        (String(repeating: "[", count: 20) + String(repeating: "]", count: 20), "nested deeper than 8 levels"),
        ("[" + String(repeating: "1,", count: 200_001) + "1]", "more than 200000 values"),
    ])
    func refusesMalformedFiles(text: String, message: String) {
        #expect(throws: CatalogueError.self) { try CatalogueFile(Array(text.utf8), file: "my.json") }
        do throws(CatalogueError) {
            _ = try CatalogueFile(Array(text.utf8), file: "my.json")
        } catch {
            #expect(error.description.hasPrefix("my.json: "))
            #expect(error.description.contains(message), "\(error)")
        }
    }

    @Test func refusesMissingFiles() {
        #expect(throws: CatalogueError.self) { try Catalogue(folder: nil, files: ["/nowhere/models.json"]) }
        #expect(throws: CatalogueError.self) { try Catalogue(folder: "/dev/null", files: []) }
        #expect(throws: CatalogueError.self) { try CatalogueFile(path: "/dev/zero") }
    }

    @Test(arguments: [
        ("gpt-*", "gpt-5", true), ("gpt-*", "xgpt-5", false), ("*gpt*5*", "my-gpt-x5", true), ("o?", "o3", true),
        ("o?", "o33", false), ("*", "", true), ("a*b*c*d*e", "abcde", true), ("a*b*c*d*e", "abcd", false),
        ("*aab", "aaaaaab", true), ("GPT-?", "gpt-4", true),
    ])
    func matchesPatterns(pattern: String, name: String, matches: Bool) throws {
        #expect(try #require(NamePattern(pattern)).matches(name) == matches)
    }
}
