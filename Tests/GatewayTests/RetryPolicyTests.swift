import Config
import Generation
import Providers
import Testing

@testable import Gateway

@Suite struct RetryPolicyTests {
    private let policy = RetryPolicy()

    @Test func waitsDoubleUpToTheirLimit() {
        let error = GenerationError(.overloaded, "x")
        var policy = policy
        policy.maxAttempts = 10
        let waits = (1...8).map { policy.delay(after: error, attempt: $0, jitter: 0).map { Double($0) / 1e9 } }
        #expect(waits == [0.5, 1, 2, 4, 8, 8, 8, 8])
        #expect(policy.delay(after: error, attempt: 1, jitter: 1) == 375_000_000)
    }

    @Test func attemptsAreCounted() {
        let error = GenerationError(.network, "x")
        #expect(policy.delay(after: error, attempt: 2, jitter: 0) != nil)
        #expect(policy.delay(after: error, attempt: 3, jitter: 0) == nil)
    }

    @Test func theVendorsWishCountsUpToALimit() {
        var error = GenerationError(.rateLimit, "x")
        error.retryAfterMilliseconds = 30_000
        #expect(policy.delay(after: error, attempt: 1, jitter: 1) == 30_000_000_000)
        error.retryAfterMilliseconds = 1
        #expect(policy.delay(after: error, attempt: 1, jitter: 0) == 500_000_000)
        error.retryAfterMilliseconds = 60_001
        #expect(policy.delay(after: error, attempt: 1, jitter: 0) == nil)
    }

    @Test func whatCannotGetBetterIsNotRepeated() {
        for kind in GenerationError.Kind.allCases where !kind.isRetryableByDefault {
            #expect(policy.delay(after: GenerationError(kind, "x"), attempt: 1, jitter: 0) == nil)
        }
        var error = GenerationError(.rateLimit, "x")
        error.isRetryable = false
        #expect(policy.delay(after: error, attempt: 1, jitter: 0) == nil)
    }
}

@Suite struct CatalogTests {
    private func catalog(_ text: String) throws -> Catalog {
        try Catalog(
            Configuration.parse(
                Array(text.utf8), file: "f", environment: [:], knownProviders: ProviderRegistry.names))
    }

    private static let models = """
        generation: {provider: openai, config: {model_name: d, api_key: k}}
        models:
          a: {provider: openai, config: {model_name: a1, api_key: k}}
          b: {provider: openai, config: {model_name: b1, api_key: k}}
          off: {provider: openai, optional: true, config: {model_name: x, api_key: "${UNSET_VARIABLE}"}}

        """

    @Test func namesRoutesAndModelsOnTheSpot() throws {
        let catalog = try catalog(
            Self.models
                + "routes: {f: {strategy: fallback, targets: [a, b]}, rr: {strategy: round_robin, targets: [a, b]}}")
        #expect(try catalog.resolve("").map(\.modelName) == ["d"])
        #expect(try catalog.resolve("a", fallbacks: ["b", "openai/new"]).map(\.modelName) == ["a1", "b1", "new"])
        #expect(try catalog.resolve("f").map(\.modelName) == ["a1", "b1"])
        let first = try catalog.resolve("rr").map(\.modelName)
        let second = try catalog.resolve("rr").map(\.modelName)
        #expect(Set([first, second]) == [["a1", "b1"], ["b1", "a1"]])
        for name in ["nobody", "nobody/x", "openai/", "f/x"] {
            let error = #expect(throws: GenerationError.self) { try catalog.resolve(name) }
            #expect(error?.kind == .unknownModel)
        }
        let off = #expect(throws: GenerationError.self) { try catalog.resolve("off") }
        #expect(off?.kind == .authentication && off?.message.contains("UNSET_VARIABLE") == true)
    }

    @Test(arguments: [
        ("openai", "", GenerationError.Kind.authentication, "OPENAI_API_KEY"),
        ("groq", "", .authentication, "GROQ_API_KEY"), ("anthropic", "", .authentication, "ANTHROPIC_API_KEY"),
        ("azure_openai", ", azure_endpoint: \"https://x.example\"", .authentication, "AZURE_OPENAI_API_KEY"),
        ("azure_openai", ", api_key: k", .invalidRequest, "azure_endpoint"),
        ("vertex", "", .invalidRequest, "project_id"), ("anthropic_vertex", "", .invalidRequest, "project_id"),
    ])
    func whatASectionLacksIsNamed(_ provider: String, _ more: String, _ kind: GenerationError.Kind, _ mention: String) {
        let error = #expect(throws: GenerationError.self) {
            try catalog("generation: {provider: \(provider), config: {model_name: m\(more)}}")
        }
        #expect(error?.kind == kind && error?.message.contains(mention) == true, "\(String(describing: error))")
    }
}
