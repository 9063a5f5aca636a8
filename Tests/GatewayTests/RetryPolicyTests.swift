import Config
import EventLoop
import Generation
import Providers
import Testing

@testable import Gateway

@Suite struct RetryPolicyTests {
    private let policy = RetryPolicy()

    @Test func waitsDoubleUpToTheirLimit() {
        let error = GenerationError(.overloaded, "x")
        var policy = policy
        policy.rules.maxAttempts = 10
        let waits = (1...8).map { policy.delay(after: error, attempt: $0, jitter: 1).map(\.seconds) }
        #expect(waits == [0.5, 1, 2, 4, 8, 8, 8, 8])
        #expect(policy.delay(after: error, attempt: 1, jitter: 0.5) == .nanoseconds(250_000_000))
        #expect(policy.delay(after: error, attempt: 1, jitter: 0) == .zero)
    }

    @Test func attemptsAreCounted() {
        let error = GenerationError(.network, "x")
        #expect(policy.delay(after: error, attempt: 2, jitter: 0) != nil)
        #expect(policy.delay(after: error, attempt: 3, jitter: 0) == nil)
    }

    @Test func theVendorsWishCountsUpToALimit() {
        var error = GenerationError(.rateLimit, "x")
        error.retryAfterMilliseconds = 30_000
        #expect(policy.delay(after: error, attempt: 1, jitter: 0) == .nanoseconds(30_000_000_000))
        error.retryAfterMilliseconds = 60_000
        #expect(policy.delay(after: error, attempt: 1, jitter: 0) == .nanoseconds(60_000_000_000))
        error.retryAfterMilliseconds = 60_001
        #expect(policy.delay(after: error, attempt: 1, jitter: 0) == nil)
    }

    /// Otherwise all callers rejected at the same moment would retry at the same moment.
    @Test func jitterComesOnTopOfWhatTheVendorAskedFor() {
        var error = GenerationError(.rateLimit, "x")
        error.retryAfterMilliseconds = 1000
        let waits = Set((0..<30).map { policy.delay(after: error, attempt: 1, jitter: Double($0) / 29) })
        #expect(waits.count == 30)
        #expect(waits.allSatisfy { 1...1.5 ~= $0?.seconds ?? 0 })
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
        try makeCatalog(text)
    }

    private static let models = """
        generation: {provider: openai, config: {model_name: d, api_key: k}}
        models:
          a: {provider: openai, config: {model_name: a1, api_key: k}}
          b: {provider: openai, config: {model_name: b1, api_key: k}}
          off: {provider: openai, optional: true, config: {model_name: x, api_key: "${UNSET_VARIABLE}"}}

        """

    @Test func fallbacksAndTargetsAreBounded() throws {
        let catalog = try catalog(Self.models + "routes: {f: {strategy: fallback, targets: [a, b, default]}}")
        #expect(try catalog.resolve("f", fallbacks: Array(repeating: "f", count: 16)).count == 51)
        let many = #expect(throws: GenerationError.self) {
            try catalog.resolve("a", fallbacks: Array(repeating: "b", count: 17))
        }
        #expect(many?.kind == .invalidRequest && many?.message.contains("at most 16") == true)
        let routes = (0..<7).map { "r\($0): {targets: [a, b, default]}" }.joined(separator: ", ")
        let names = (0..<30).map { "m\($0): {provider: openai, config: {model_name: m, api_key: k}}" }
        let wide = try self.catalog(
            Self.models + names.map { "  \($0)\n" }.joined()
                + "routes: {w: {targets: [\((0..<30).map { "m\($0)" }.joined(separator: ", "))]}, \(routes)}")
        let wideError = #expect(throws: GenerationError.self) { try wide.resolve("w", fallbacks: ["w", "w"]) }
        #expect(wideError?.kind == .invalidRequest && wideError?.message.contains("more than 64") == true)
    }

    @Test func namesRoutesAndModelsOnTheSpot() throws {
        let catalog = try catalog(
            Self.models
                + "routes: {f: {strategy: fallback, targets: [a, b]}, rr: {strategy: round_robin, targets: [a, b]}}")
        #expect(try catalog.resolve("").map(\.model.modelName) == ["d"])
        #expect(
            try catalog.resolve("a", fallbacks: ["b", "openai/new"]).map(\.model.modelName) == ["a1", "b1", "new"])
        #expect(try catalog.resolve("f").map(\.model.modelName) == ["a1", "b1"])
        let first = try catalog.resolve("rr").map(\.model.modelName)
        let second = try catalog.resolve("rr").map(\.model.modelName)
        #expect(Set([first, second]) == [["a1", "b1"], ["b1", "a1"]])
        for name in ["nobody", "nobody/x", "openai/", "f/x"] {
            let error = #expect(throws: GenerationError.self) { try catalog.resolve(name) }
            #expect(error?.kind == .unknownModel)
        }
        let off = #expect(throws: GenerationError.self) { try catalog.resolve("off") }
        #expect(off?.kind == .authentication && off?.message.contains("UNSET_VARIABLE") == true)
    }

    private static let vertex = """
        models:
          tuned: {provider: vertex, config: {model_name: projects/7/locations/r/endpoints/1, project_id: p, api_base: "http://h", api_key: k}}
          groq: {provider: groq, config: {model_name: m, api_key: k}}
          gemini: {provider: gemini, config: {model_name: m, api_key: k}}

        """

    /// Callers may name models only. Other targets of a path must come from the configuration.
    @Test func callersNameNoProjects() throws {
        let catalog = try catalog(Self.vertex)
        for path in [
            "projects/OTHER/locations/r/endpoints/1", "projects/p/locations/r/endpoints/1", "projects/", "projects/x",
        ] {
            for models in [["vertex/" + path], ["tuned", "vertex/" + path]] {
                let error = #expect(throws: GenerationError.self) {
                    try catalog.resolve(models[0], fallbacks: Array(models.dropFirst()))
                }
                #expect(error?.kind == .permission && error?.message.contains("server.allow_model_paths") == true)
            }
        }
        // The configuration may name them.
        #expect(try catalog.resolve("tuned").map(\.model.modelName) == ["projects/7/locations/r/endpoints/1"])
        // Names with slashes that denote models of the configured project, or are sent in the body.
        for name in [
            "vertex/publishers/meta/models/llama-4", "vertex/endpoints/1", "vertex/models/projects/x",
            "vertex/gemini-x",
            "groq/openai/gpt-oss-120b", "groq/projects/x", "gemini/tunedModels/x", "gemini/projects/x",
        ] {
            let slash = try #require(name.firstIndex(of: "/"))
            #expect(try catalog.resolve(name).map(\.model.modelName) == [String(name[name.index(after: slash)...])])
        }
        let open = try self.catalog("server: {allow_model_paths: true}\n" + Self.vertex)
        #expect(try open.resolve("vertex/projects/OTHER/locations/r/endpoints/1").count == 1)
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
