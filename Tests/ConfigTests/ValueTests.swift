import Encodings
import Foundation
import Limits
import TestSupport
import Testing

@testable import Config
@testable import Providers

@Suite("Values")
struct ValueTests {
    @Test("partial maps keep the other defaults, and models inherit")
    func partial() async throws {
        try await withTemporaryFolder { folder in
            for name in ["ca.pem", "own.pem"] {
                try samplePEM.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
            }
            try checkPartial(folder)
        }
    }

    private func checkPartial(_ folder: String) throws {
        let configuration = try parse(
            withModel(
                """
                timeouts: {idle: 2}
                retry: {max_attempts: 1}
                limits: {max_connections: 9}
                tls: {ca_file: \(folder)/ca.pem}
                log: {format: json}
                models:
                  m:
                    provider: groq
                    config: {model_name: m, timeouts: {total: 0.5}, retry: {max_backoff: 0}, ca_file: "\(folder)/own.pem"}
                """))
        var timeouts = TimeoutsConfiguration()
        timeouts.idle = 2
        #expect(configuration.timeouts == timeouts)
        #expect(configuration.generation?.timeouts == timeouts)
        timeouts.total = 0.5
        #expect(configuration.models["m"]?.timeouts == timeouts)
        #expect(configuration.retry.maxAttempts == 1)
        #expect(configuration.retry.initialBackoff == 0.5)
        #expect(configuration.models["m"]?.retry.maxAttempts == 1)
        #expect(configuration.models["m"]?.retry.maxBackoff == 0)
        #expect(configuration.models["m"]?.retry.initialBackoff == 0)
        #expect(configuration.limits.maxConnections == 9)
        #expect(configuration.limits.maxMessageBytes == 4_194_304)
        #expect(configuration.generation?.caFile == "\(folder)/ca.pem")
        #expect(configuration.models["m"]?.caFile == "\(folder)/own.pem")
        #expect(configuration.log.format == .json)
        #expect(configuration.log.level == .info)
    }

    @Test("a model takes every key")
    func everyKey() throws {
        let configuration = try parse(
            """
            generation:
              provider: anthropic_vertex
              optional: false
              config:
                model_name: claude@1
                top_k: 5
                stop: [a, b]
                seed: -3
                presence_penalty: -2
                frequency_penalty: +1.5
                api_base: "http://[::1]:9001//"
                project_id: p
                region: r
                api_version: v1
                anthropic_version: vertex-2023-10-16
                extra_headers: {X-A: b}
                extra_body: {n: 1, deep: {list: [yes, "1", ${WORD}]}}
                cache_ttl: 0.5
            """.replacing("${WORD}", with: "\"${WORD}\""), ["WORD": "w\"x"])
        let model = try #require(configuration.generation)
        #expect(model.topK == 5)
        #expect(model.stop == ["a", "b"])
        #expect(model.seed == -3)
        #expect(model.presencePenalty == -2)
        #expect(model.frequencyPenalty == 1.5)
        #expect(model.apiBase == "http://[::1]:9001")
        #expect(model.extraHeaders == ["X-A": "b"])
        #expect(model.extraBody?.jsonText() == #"{"n":1,"deep":{"list":["yes","1","w\"x"]}}"#)
        #expect(model[GoogleCloud.projectID] == "p")
        #expect(model[GoogleCloud.region] == "r")
        #expect(model[Claude.anthropicVersion] == "vertex-2023-10-16")
        #expect(model.cacheTTL == 0.5)
        #expect(try parse(withConfig("stop: one")).generation?.stop == ["one"])
    }

    @Test("a provider takes keys of its own")
    func ownKeys() throws {
        let configuration = try parse(
            """
            generation:
              provider: openai
              config: {model_name: m, organization: o, max_tokens_parameter: max_completion_tokens,
                       system_role: developer, stream_usage: false}
            models:
              azure: {provider: azure_openai, config: {model_name: m, azure_endpoint: "http://h/", deployment: d}}
              gemini: {provider: vertex, config: {model_name: m, project_id: p, safety_settings: [{category: c}]}}
              any: {provider: "${P}", config: {model_name: m, organization: o, region: r}}
            """, ["P": "vertex"])
        let openAI = try #require(configuration.generation)
        #expect(openAI[Provider.organization] == "o")
        #expect(openAI[ChatCompletions.maxTokensParameter] == .maxCompletionTokens)
        #expect(openAI[ChatCompletions.systemRole] == .developer)
        #expect(openAI[ChatCompletions.streamUsage] == false)
        #expect(configuration.models["azure"]?[AzureOpenAI.endpoint] == "http://h")
        #expect(configuration.models["azure"]?[AzureOpenAI.deployment] == "d")
        let gemini = try #require(configuration.models["gemini"])
        #expect(gemini[Gemini.safetySettings]?.jsonText() == #"[{"category":"c"}]"#)
        // If the environment sets the provider, keys of other providers are accepted.
        #expect(configuration.models["any"]?[GoogleCloud.region] == "r")

        // Connection settings apply to dynamic models, request settings do not.
        let dynamic = configuration.dynamicModel(name: "vertex/x", provider: "vertex", modelName: "x")
        #expect(dynamic[GoogleCloud.projectID] == "p")
        #expect(dynamic[Gemini.safetySettings] == nil)
        var other = openAI
        #expect(other == openAI)
        other[Provider.organization] = "p"
        #expect(other != openAI)
        other[Provider.organization] = nil
        #expect(other[Provider.organization] == nil)
    }

    @Test("a required key of a provider must be there")
    func requiredOwnKey() {
        let tenant = ProviderKey<String>("tenant", .identifier, isRequired: true, "The tenant.")
        let cloud = ProviderKeys(name: "cloud", keys: [tenant.declaration])
        func read(_ config: String) -> Result<Configuration, ConfigErrors> {
            Result { () throws(ConfigErrors) in
                try Configuration.parse(
                    Array("generation: {provider: cloud, config: {model_name: m\(config)}}".utf8), file: "f",
                    environment: [:], knownProviders: [cloud, "other"])
            }
        }
        #expect((try? read(", tenant: t").get())?.generation?[tenant] == "t")
        guard case .failure(let errors) = read("") else {
            Issue.record("no error")
            return
        }
        #expect(errors.description == "f:1: generation.config.tenant: is missing")
    }

    @Test(
        "become JSON by the core schema",
        arguments: [
            ("null", "null"), ("~", "null"), ("", "null"), ("true", "true"), ("False", "false"), ("yes", "\"yes\""),
            ("12", "12"), ("+12", "12"), ("-0", "-0"), ("007", "7"), ("0x1F", "31"), ("0o17", "15"),
            ("0x+1", "\"0x+1\""), ("0xfffffffffffffffff", "\"0xfffffffffffffffff\""), ("1.50", "1.50"), (".5", "0.5"),
            ("5.", "5"), ("-1e+3", "-1e+3"), ("1e", "\"1e\""), (".", "\".\""), ("-.", "\"-.\""),
            ("123456789012345678901234567890", "123456789012345678901234567890"), ("1.2.3", "\"1.2.3\""),
            ("2024-02-15", "\"2024-02-15\""), (".inf", "null"), ("\"12\"", "\"12\""), ("'null'", "\"null\""),
            ("\"a\\\"\\\\\\n\\r\\t\\x01é\"", "\"a\\\"\\\\\\n\\r\\t\\u0001é\""), ("!!str 12", "\"12\""),
            ("|\n  a\n  b\n", "\"a\\nb\\n\""), ("[1, {a: b}]", "[1,{\"a\":\"b\"}]"), ("[]", "[]"), ("{}", "{}"),
            ("١", "\"١\""),
        ])
    func json(_ yaml: String, _ expected: String) throws {
        let root = try YAMLReader.read(Array("v: \(yaml)".utf8), file: "f").root
        #expect(root?["v"]?.jsonText() == expected)
    }

    @Test("names that are near are found")
    func nearest() {
        let names = ["max_tokens", "temperature", "api_key", "top_p", "top_k"]
        func nearest(_ name: String) -> String? { NearestName.suggestion(for: name, among: names) }
        #expect(nearest("max_token") == "max_tokens")
        #expect(nearest("temprature") == "temperature")
        #expect(nearest("TEMPERATURE") == "temperature")
        #expect(nearest("apikey") == "api_key")
        #expect(nearest("topp") == "top_p")
        #expect(nearest("tokens") == "max_tokens")
        #expect(nearest("zebra") == nil)
        #expect(nearest("") == nil)
        #expect(NearestName.hint(for: "q", among: ["ab", "cd"]) == "; valid: ab, cd")
    }

    @Test("a model that the file does not name is reached like its provider's first one")
    func dynamicModel() throws {
        let configuration = try parse(
            """
            generation: {provider: groq, config: {model_name: a, temperature: 1, api_base: "http://h", api_key: k}}
            models: {b: {provider: groq, config: {model_name: b}}}
            timeouts: {idle: 9}
            """)
        let model = configuration.dynamicModel(name: "groq/x", provider: "groq", modelName: "x")
        #expect(model.name == "groq/x")
        #expect(model.modelName == "x")
        #expect(model.apiBase == "http://h")
        #expect(model.apiKey?.reveal() == "k")
        #expect(model.temperature == nil)
        #expect(model.timeouts.idle == 9)
        let other = configuration.dynamicModel(name: "openai/x", provider: "openai", modelName: "x")
        #expect(other.apiBase == nil)
        #expect(other.timeouts.idle == 9)
    }

    @Test("of a file on disk are read")
    func load() throws {
        try withFolder { folder in
            let path = folder + "/config.yaml"
            try withConfig("api_key: \"${K}\"").write(toFile: path, atomically: true, encoding: .utf8)
            let configuration = try Configuration.load(
                path: path, environment: ["K": "v"], knownProviders: providers)
            #expect(configuration.generation?.apiKey?.reveal() == "v")
            #expect(throws: ConfigErrors.self) {
                try Configuration.load(path: path, environment: [:], knownProviders: providers)
            }
        }
    }
}
