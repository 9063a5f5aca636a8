import Limits
import Testing

@testable import Config
@testable import Providers

@Suite("The example of the contract")
struct ContractTests {
    static let environment = [
        "OPENAI_API_KEY": "sk-openai-1", "PROJECT_ID": "my-project", "COIN_CONSUMER_CLIENT_ID": "coin-1",
    ]

    static let example = #"""
        server:
          listen: ["unix:./run/genwire.sock", "tcp:127.0.0.1:7411"]
          admin: "127.0.0.1:7412"
          loops: 2
        generation:                 # the default model, exactly the source document's form
          provider: openai          # vertex | anthropic_vertex | openai | azure_openai | groq
          config:
            model_name: gpt-4
            max_tokens: 4096
            temperature: 0.7
            top_p: 0.95
            api_base: https://api.openai.com/v1
            api_key: ${OPENAI_API_KEY}
            enable_caching: true
            cache_ttl: 3600
            cache_max_size: 1000
        models:                     # more of the same, by name
          gemini: {provider: vertex, config: {model_name: gemini-1.5-pro-002, project_id: "${PROJECT_ID}", region: us-central1, auth: corp}}
          azure:  {provider: azure_openai, config: {model_name: GPT4-o, api_version: 2024-02-15-preview, azure_endpoint: "https://your-resource.openai.azure.com/", auth: entra}}
        routes:
          resilient: {strategy: fallback, targets: [gemini, azure, {model: default, weight: 2}]}
        auth:
          corp:  {type: coin, token_url: "…", client_id: "${COIN_CONSUMER_CLIENT_ID}", client_secret: "…"}
          entra: {type: azure_ad, tenant_id: "…", client_id: "…", client_secret: "…"}
        generators:                 # RAG
          docs: {model: gemini, template: "Context: {context}\n\nConversation History:\n{history}\n\nUser Question: {query}\n…", max_context_tokens: 6000}
        limits: {max_connections: 4096, max_streams_per_connection: 1024, max_message_bytes: 4194304, max_buffered_bytes_per_connection: 8388608}
        timeouts: {connect: 5, first_token: 60, idle: 60, total: 600}
        retry: {max_attempts: 3, initial_backoff: 0.5, max_backoff: 8, max_retry_after: 60}
        """#

    @Test("works as written")
    func parses() throws {
        let configuration = try parse(Self.example, Self.environment)
        #expect(configuration.server.listen == ["unix:./run/genwire.sock", "tcp:127.0.0.1:7411"])
        #expect(configuration.server.admin == "127.0.0.1:7412")
        #expect(configuration.server.loops == 2)
        #expect(configuration.server.drainTimeout == 30)
        #expect(configuration.models.keys.sorted() == ["azure", "default", "gemini"])

        let generation = try #require(configuration.generation)
        #expect(generation.provider == "openai")
        #expect(generation.modelName == "gpt-4")
        #expect(generation.maxTokens == 4096)
        #expect(generation.temperature == 0.7)
        #expect(generation.topP == 0.95)
        #expect(generation.apiBase == "https://api.openai.com/v1")
        #expect(generation.apiKey?.reveal() == "sk-openai-1")
        #expect(generation.enableCaching)
        #expect(generation.cacheTTL == 3600)
        #expect(generation.cacheMaxSize == 1000)

        let gemini = try #require(configuration.models["gemini"])
        #expect(gemini[GoogleCloud.projectID] == "my-project")
        #expect(gemini[GoogleCloud.region] == "us-central1")
        #expect(gemini.auth == "corp")
        let azure = try #require(configuration.models["azure"])
        #expect(azure[AzureOpenAI.endpoint] == "https://your-resource.openai.azure.com")
        #expect(azure[AzureOpenAI.apiVersion] == "2024-02-15-preview")

        let route = try #require(configuration.routes.first)
        #expect(route.name == "resilient")
        #expect(route.strategy == .fallback)
        #expect(
            route.targets == [.init(model: "gemini"), .init(model: "azure"), .init(model: "default", weight: 2)])

        guard case .coin(let coin) = configuration.auth["corp"]?.method else {
            Issue.record("corp is not coin")
            return
        }
        #expect(coin.tokenURL == "…")
        #expect(coin.clientID == "coin-1")
        #expect(coin.clientAuth == .body)
        #expect(coin.tokenPath == "access_token")
        #expect(configuration.auth["entra"]?.kind == .azureAD)

        let docs = try #require(configuration.generators["docs"])
        #expect(docs.model == "gemini")
        #expect(docs.maxContextTokens == 6000)
        #expect(docs.template?.hasPrefix("Context: {context}\n\nConversation History:\n{history}") == true)
        #expect(configuration.limits == LimitsConfiguration())
        #expect(configuration.timeouts == TimeoutsConfiguration())
        #expect(configuration.retry == RetryConfiguration())
        #expect(configuration.allModels.map(\.name) == ["default", "gemini", "azure"])
        #expect(configuration.allModels.allSatisfy { $0.unconfiguredReason == nil })
    }

    @Test("names each missing variable with its key and line")
    func missingVariables() {
        #expect(
            mistakes(Self.example) == [
                "config.yaml:13: generation.config.api_key: the environment variable OPENAI_API_KEY is not set",
                "config.yaml:18: models.gemini.config.project_id: the environment variable PROJECT_ID is not set",
                "config.yaml:23: auth.corp.client_id: the environment variable COIN_CONSUMER_CLIENT_ID is not set",
            ])
    }

    @Test("is summed up without secrets")
    func summary() throws {
        let configuration = try parse(Self.example, Self.environment)
        #expect(
            configuration.summary() == """
                listen     unix:./run/genwire.sock, tcp:127.0.0.1:7411
                admin      127.0.0.1:7412
                model      default: openai gpt-4
                model      gemini: vertex gemini-1.5-pro-002, auth corp
                model      azure: azure_openai GPT4-o, auth entra
                route      resilient: fallback over gemini, azure, default
                auth       corp: coin
                auth       entra: azure_ad
                generator  docs: gemini
                limits     max_connections 4096, max_streams_per_connection 1024, max_message_bytes 4194304, \
                max_buffered_bytes_per_connection 8388608, max_request_bytes_per_connection 67108864, \
                max_request_bytes 536870912, max_buffered_bytes 536870912
                timeouts   connect 5, first_token 60, idle 60, total 600
                retry      max_attempts 3, initial_backoff 0.5, max_backoff 8, max_retry_after 60
                tls        ca_file the system's, insecure_skip_verify false
                log        level info, format text
                """)
    }

    @Test("works with CRLF and a byte order mark")
    func lineEndings() throws {
        let text =
            "\u{FEFF}"
            + Self.example.split(separator: "\n", omittingEmptySubsequences: false)
            .joined(separator: "\r\n")
        let configuration = try parse(text, Self.environment)
        #expect(configuration.models.count == 3)
        let broken = "\u{FEFF}" + withModel("log:\r\n  levl: info\r\n")
        #expect(mistakes(broken) == ["config.yaml:3: log.levl: unknown key; did you mean 'level'?"])
    }

    @Test("survives any damage with an error, and no secret shows")
    func damage() {
        var random = SystemRandomNumberGenerator()
        let original = Array(Self.example.utf8)
        let bits = Array("[]{}:,-#&*!|>'\"%@`$\n\t \0\u{FF}".utf8)
        for _ in 0..<1500 {
            var text = original
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let index = Int.random(in: 0..<text.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: text[index] = bits.randomElement(using: &random)!
                case 1: text.remove(at: index)
                case 2: text.insert(bits.randomElement(using: &random)!, at: index)
                default: text.removeSubrange(index..<min(text.count, index + 40))
                }
            }
            for mistake in mistakes(text, Self.environment) {
                #expect(!mistake.contains("sk-openai-1") && !mistake.contains("coin-1"))
            }
        }
    }
}
