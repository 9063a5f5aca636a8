import Config
import Generation
import JSON
import Testing

@testable import Providers

/// The URLs of each provider's models.
@Suite struct EndpointTests {
    private static func endpoints(
        _ provider: Provider, _ name: String, _ change: (inout ModelConfiguration) -> Void
    ) throws -> Endpoints {
        var model = ModelConfiguration(name: "m", provider: provider.name, modelName: name)
        change(&model)
        return try provider.endpoints(
            model, Catalogue.embedded.facts(provider: provider.name, name: provider.catalogueName(model)))
    }

    @Test(arguments: [
        ("us-central1", "us-central1-aiplatform.googleapis.com"), ("global", "aiplatform.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"), ("us", "aiplatform.us.rep.googleapis.com"),
    ])
    func hostsOfVertexAI(_ region: String, _ host: String) throws {
        let gemini = try Self.endpoints(.vertex, "gemini-1.5-pro-002") {
            $0[GoogleCloud.projectID] = "p"
            $0[GoogleCloud.region] = region
        }
        let path = "/v1/projects/p/locations/\(region)/publishers/google/models/gemini-1.5-pro-002"
        #expect(gemini.whole == "https://\(host)\(path):generateContent")
        #expect(gemini.stream == "https://\(host)\(path):streamGenerateContent?alt=sse")
        let claude = try Self.endpoints(.anthropicVertex, "claude-sonnet-4-5@20250929") {
            $0[GoogleCloud.projectID] = "p"
            $0[GoogleCloud.region] = region
        }
        #expect(
            claude.stream.hasPrefix("https://\(host)/v1/projects/p/locations/\(region)/publishers/anthropic/models/"))
        #expect(claude.stream.hasSuffix("claude-sonnet-4-5@20250929:streamRawPredict"))
        #expect(claude.countTokens?.hasSuffix("/models/count-tokens:rawPredict") == true)
    }

    @Test func anAddressOfOnesOwn() throws {
        for (base, expected) in [
            ("http://127.0.0.1:9001", "http://127.0.0.1:9001/v1/projects/p/locations/r/publishers/google/models/a%2Fb"),
            ("http://h/v1beta1", "http://h/v1beta1/projects/p/locations/r/publishers/google/models/a%2Fb"),
        ] {
            let endpoints = try Self.endpoints(.vertex, "a/b") {
                $0.apiBase = base
                $0[GoogleCloud.projectID] = "p"
                $0[GoogleCloud.region] = "r"
            }
            #expect(endpoints.whole == expected + ":generateContent")
        }
        let tuned = try Self.endpoints(.vertex, "projects/7/locations/r/endpoints/12") {
            $0.apiBase = "http://h"
            $0[GoogleCloud.projectID] = "p"
        }
        #expect(tuned.whole == "http://h/v1/projects/7/locations/r/endpoints/12:generateContent")
        #expect(
            try Self.endpoints(.gemini, "models/gemini-2.5-flash") { $0.apiBase = "http://h" }.whole
                == "http://h/v1beta/models/gemini-2.5-flash:generateContent")
        #expect(
            try Self.endpoints(.anthropic, "claude") { $0.apiBase = "http://h/v1" }.whole == "http://h/v1/messages")
        #expect(
            try Self.endpoints(.groq, "m") { $0.apiBase = "http://h/openai/v1" }.whole
                == "http://h/openai/v1/chat/completions")
    }

    @Test(arguments: [
        ("http://h", "http://h/openai/deployments/my%20gpt/chat/completions?api-version=2024-02-15-preview"),
        ("http://h/openai", "http://h/openai/deployments/my%20gpt/chat/completions?api-version=2024-02-15-preview"),
        ("http://h/openai/v1", "http://h/openai/v1/chat/completions"),
        ("http://h/models", "http://h/models/chat/completions?api-version=2024-02-15-preview"),
    ])
    func formsOfAzure(_ base: String, _ expected: String) throws {
        let endpoints = try Self.endpoints(.azureOpenAI, "gpt-4o") {
            $0[AzureOpenAI.endpoint] = base
            $0[AzureOpenAI.deployment] = "my gpt"
            $0[AzureOpenAI.apiVersion] = "2024-02-15-preview"
        }
        #expect(endpoints.whole == expected)
        // `api_base` wins over `azure_endpoint`.
        let other = try Self.endpoints(.azureOpenAI, "gpt-4o") {
            $0[AzureOpenAI.endpoint] = base
            $0.apiBase = "http://other"
        }
        #expect(other.whole.hasPrefix("http://other/openai/deployments/gpt-4o/"))
    }

    /// `v1` and `preview` are versions of the API without deployments in its addresses, and an endpoint may be copied
    /// from the portal with its deployment.
    @Test(arguments: [
        ("http://h", "v1", "http://h/openai/v1/chat/completions", "http://h/openai/v1/models"),
        (
            "http://h", "preview", "http://h/openai/v1/chat/completions?api-version=preview",
            "http://h/openai/v1/models?api-version=preview"
        ), ("http://h/openai", "v1", "http://h/openai/v1/chat/completions", "http://h/openai/v1/models"),
        (
            "http://h/openai/v1", "preview", "http://h/openai/v1/chat/completions?api-version=preview",
            "http://h/openai/v1/models?api-version=preview"
        ),
        (
            "http://h/openai/v1", "2024-10-21", "http://h/openai/v1/chat/completions", "http://h/openai/v1/models"
        ),
        (
            "http://h/openai/deployments/prod", "2024-10-21",
            "http://h/openai/deployments/prod/chat/completions?api-version=2024-10-21",
            "http://h/openai/models?api-version=2024-10-21"
        ),
        (
            "http://h/openai/deployments/prod/chat/completions", "2024-10-21",
            "http://h/openai/deployments/prod/chat/completions?api-version=2024-10-21",
            "http://h/openai/models?api-version=2024-10-21"
        ),
        ("http://h/openai/deployments/prod", "v1", "http://h/openai/v1/chat/completions", "http://h/openai/v1/models"),
        (
            "http://h", nil, "http://h/openai/deployments/gpt-4o/chat/completions?api-version=2025-04-01-preview",
            "http://h/openai/models?api-version=2025-04-01-preview"
        ),
    ])
    func versionsOfAzure(_ base: String, _ version: String?, _ whole: String, _ probe: String) throws {
        let endpoints = try Self.endpoints(.azureOpenAI, "gpt-4o") {
            $0[AzureOpenAI.endpoint] = base
            if let version { $0[AzureOpenAI.apiVersion] = version }
        }
        #expect(endpoints.whole == whole && endpoints.stream == whole)
        guard case .get(let url) = endpoints.probe else {
            Issue.record("the probe is no GET")
            return
        }
        #expect(url == probe)
    }

    /// Without a deployment in the address, the body names it.
    @Test(arguments: [
        (String?.none, "http://h/openai/v1", "gpt-4o"), ("prod", "http://h/openai/v1", "prod"),
        (nil, "http://h/openai/deployments/prod", "prod"), ("dev", "http://h/openai/deployments/prod", "dev"),
    ])
    func theBodyNamesAzuresDeployment(_ deployment: String?, _ base: String, _ name: String) throws {
        let harness = try DialectHarness("azure_openai", "gpt-4o") {
            $0.apiBase = base
            $0[AzureOpenAI.apiVersion] = "v1"
            if let deployment { $0[AzureOpenAI.deployment] = deployment }
        }
        let body = try harness.body(ChatRequest(messages: [Message(role: .user, content: "x")]))
        #expect(body["model"]?.string == name)
    }

    /// Callers name models too: none of those names may lead anywhere else with this server's credentials.
    @Test(arguments: ["projects/../../admin/x", "publishers/./x", "..", "endpoints/..", "tunedModels/../../x"])
    func namesThatLeadElsewhere(_ name: String) throws {
        for provider in [Provider.vertex, .azureOpenAI, .gemini] {
            #expect(throws: GenerationError.self) {
                try Self.endpoints(provider, name) {
                    $0.apiBase = "http://h"
                    $0[GoogleCloud.projectID] = "p"
                }
            }
        }
        let claude = try Self.endpoints(.anthropicVertex, name) {
            $0.apiBase = "http://h"
            $0[GoogleCloud.projectID] = "p"
            $0[GoogleCloud.region] = "us-east5"
        }
        let escaped = claude.whole.dropFirst(
            "http://h/v1/projects/p/locations/us-east5/publishers/anthropic/models/".count)
        #expect(!escaped.contains("/"))
        let ordinary = try Self.endpoints(.vertex, "gemini-2.5..x") { $0[GoogleCloud.projectID] = "p" }
        #expect(ordinary.whole.hasSuffix("gemini-2.5..x:generateContent"))
    }
}
