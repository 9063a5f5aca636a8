import Config
import EventLoop
import Generation
import HTTPClient
import JSON
import TestSupport
import Testing

@testable import Providers

/// The formats of requests for vectors, and how they are cut into batches.
@Suite struct EmbeddingTests {
    private static let options = EmbedRequest(inputs: ["a", "ü\n"], dimensions: 3, inputType: "RETRIEVAL_QUERY")

    private func endpoint(_ provider: String, _ name: String) throws -> EmbeddingEndpoint {
        try #require(try DialectHarness(provider, name).model.embedding)
    }

    private func body(_ provider: String, _ name: String, _ request: EmbedRequest = options) throws -> JSONValue {
        let writer = try endpoint(provider, name).dialect.encode(request.inputs, request, modelName: name)
        return try JSONValue(parsing: writer.bytes)
    }

    private func decode(_ provider: String, _ name: String, _ body: String, count: Int = 2) throws -> EmbeddedBatch {
        let parser = JSONParser()
        return try withExtendedLifetime(parser) {
            try endpoint(provider, name).dialect.decode(try parser.parse(body), count: count, providerName: "v")
        }
    }

    // MARK: - Requests

    @Test func addresses() throws {
        #expect(try endpoint("openai", "m").url == "http://127.0.0.1:1/embeddings")
        #expect(try endpoint("groq", "m").url == "http://127.0.0.1:1/embeddings")
        let azure = try endpoint("azure_openai", "my model").url
        #expect(azure.hasPrefix("http://127.0.0.1:1/openai/deployments/my%20model/embeddings?api-version="))
        let foundry = try DialectHarness("azure_openai", "m") { $0.apiBase = "http://127.0.0.1:1/models" }.model
        #expect(foundry.embedding?.url.hasPrefix("http://127.0.0.1:1/models/embeddings?api-version=") == true)
        #expect(try endpoint("gemini", "m").url == "http://127.0.0.1:1/v1beta/models/m:batchEmbedContents")
        let parent = "http://127.0.0.1:1/v1/projects/p/locations/r/publishers/google/models/"
        #expect(try endpoint("vertex", "text-embedding-005").url == parent + "text-embedding-005:predict")
        #expect(try endpoint("vertex", "gemini-embedding-2").url == parent + "gemini-embedding-2:embedContent")
        #expect(try endpoint("vertex", "e5-maas").url == parent + "e5-maas:embedContent")
        #expect(try DialectHarness("anthropic", "m").model.embedding == nil)
    }

    @Test func bodies() throws {
        #expect(
            try body("openai", "m")
                == ["model": "m", "input": ["a", "ü\n"], "encoding_format": "base64", "dimensions": 3])
        let entry: (String) -> JSONValue = {
            [
                "model": "models/m", "content": ["parts": [["text": .string($0)]]], "taskType": "RETRIEVAL_QUERY",
                "outputDimensionality": 3,
            ]
        }
        #expect(try body("gemini", "m") == ["requests": [entry("a"), entry("ü\n")]])
        #expect(
            try body("vertex", "m") == [
                "instances": [
                    ["content": "a", "task_type": "RETRIEVAL_QUERY"],
                    ["content": "ü\n", "task_type": "RETRIEVAL_QUERY"],
                ], "parameters": ["outputDimensionality": 3],
            ])
        let batch = GoogleEmbeddings(form: .batch).encode(Self.options.inputs, Self.options, modelName: "m")
        let settings: JSONValue = ["taskType": "RETRIEVAL_QUERY", "outputDimensionality": 3]
        #expect(
            try body("vertex", "x-maas")
                == ["content": ["parts": [["text": "a"]]], "embedContentConfig": settings])
        #expect(
            try JSONValue(parsing: batch.bytes)["requests"]?.array?.last
                == ["content": ["parts": [["text": "ü\n"]]], "embedContentConfig": settings])
        // Nothing is sent that the caller did not set.
        let plain = EmbedRequest(inputs: ["a"])
        #expect(try body("openai", "m", plain) == ["model": "m", "input": ["a"], "encoding_format": "base64"])
        #expect(try body("vertex", "m", plain) == ["instances": [["content": "a"]]])
        #expect(try body("vertex", "x-maas", plain) == ["content": ["parts": [["text": "a"]]]])
    }

    // MARK: - Responses

    @Test func numbersAndBase64InAnyOrder() throws {
        // 1.0, -2.5 as little-endian floats.
        let batch = try decode(
            "openai", "m",
            #"{"model":"m-1","data":[{"index":1,"embedding":"AACAPwAAIMA="},{"index":0,"embedding":[0.5,1]}],"usage":{"prompt_tokens":7,"total_tokens":7}}"#
        )
        #expect(batch.vectors == [[0.5, 1], [1, -2.5]] && batch.model == "m-1")
        #expect(batch.usage.inputTokens == 7 && batch.usage.totalTokens == 7 && batch.usage.source == .provider)
        let silent = try decode("openai", "m", #"{"data":[{"embedding":[1]},{"embedding":[2]}]}"#)
        #expect(silent.vectors == [[1], [2]] && silent.usage.source == .absent)
    }

    @Test func googlesForms() throws {
        let batch = try decode("gemini", "m", #"{"embeddings":[{"values":[1]},{"values":[2]}]}"#)
        #expect(batch.vectors == [[1], [2]] && batch.usage.source == .absent)
        let predicted = try decode(
            "vertex", "m",
            #"{"predictions":[{"embeddings":{"values":[1],"statistics":{"token_count":3,"truncated":true}}},{"embeddings":{"values":[2],"statistics":{"token_count":4,"truncated":false}}}]}"#
        )
        #expect(predicted.vectors == [[1], [2]] && predicted.usage.inputTokens == 7 && predicted.truncatedCount == 1)
        let single = try decode(
            "vertex", "x-maas",
            #"{"embedding":{"values":[1,2]},"usageMetadata":{"promptTokenCount":9},"truncated":true}"#, count: 1)
        #expect(single.vectors == [[1, 2]] && single.usage.inputTokens == 9 && single.truncatedCount == 1)
    }

    /// Sums over all batches, and in the metrics, must not overflow.
    @Test(arguments: [
        ("openai", #"{"data":[{"embedding":[1]}],"usage":{"prompt_tokens":9223372036854775807}}"#),
        ("gemini", #"{"embeddings":[{"values":[1]}],"usageMetadata":{"promptTokenCount":9223372036854775807}}"#),
        (
            "vertex",
            #"{"predictions":[{"embeddings":{"values":[1],"statistics":{"token_count":9223372036854775807}}}]}"#
        ),
    ])
    func absurdUsageIsClamped(_ provider: String, _ body: String) throws {
        let batch = try decode(provider, "m", body, count: 1)
        #expect(batch.usage.inputTokens == Int(Int32.max) && batch.usage.totalTokens == Int(Int32.max))
    }

    @Test(arguments: [
        ("openai", #"{}"#), ("openai", #"{"data":[]}"#), ("openai", #"{"data":[{"embedding":[1]}]}"#),
        ("openai", #"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}"#),
        ("openai", #"{"data":[{"index":-1,"embedding":[1]},{"index":0,"embedding":[1]}]}"#),
        ("openai", #"{"data":[{"embedding":[]},{"embedding":[1]}]}"#),
        ("openai", #"{"data":[{"embedding":"AAA="},{"embedding":[1]}]}"#),
        ("openai", #"{"data":[{"embedding":["1"]},{"embedding":[1]}]}"#),
        ("gemini", #"{"embeddings":[{"values":[1]},{"values":[1]},{"values":[1]}]}"#),
        ("openai", #"{"data":[{"embedding":"AADAfw=="},{"embedding":[1]}]}"#),
        ("openai", #"{"data":[{"embedding":[1e39]},{"embedding":[1]}]}"#),
        ("gemini", #"{"embeddings":[{"values":[-1e300]},{"values":[1]}]}"#),
        ("gemini", #"{"embeddings":[{"values":null}]}"#), ("vertex", #"{"predictions":[{}]}"#),
    ])
    func invalidResponses(_ provider: String, _ body: String) throws {
        let error = #expect(throws: GenerationError.self) { try decode(provider, "m", body) }
        #expect(error?.kind == .badProviderResponse)
    }

    // MARK: - Batches

    /// The vendor's limits, and a model's own where they are lower.
    @Test func limitsOfModels() throws {
        func limits(_ provider: String, _ name: String) throws -> [Int] {
            let limits = try endpoint(provider, name).limits
            return [limits.inputs, limits.bytes]
        }
        #expect(try limits("openai", "m") == [2048, 600_000])
        #expect(try limits("gemini", "m") == [100, 400_000])
        #expect(try limits("vertex", "text-embedding-005") == [250, 40_000])
        #expect(try limits("vertex", "gemini-embedding-001")[0] == 1)
        #expect(try limits("vertex", "e5-maas") == [1, .max])
    }

    @Test func batchesKeepTheLimits() {
        func ends(_ limits: EmbeddingLimits, _ inputs: [String], dimensions: Int) -> [Int] {
            let missing = Array(inputs.indices)
            var ends: [Int] = []
            while ends.last ?? 0 < inputs.count, ends.count < 1000 {
                ends.append(limits.end(of: missing, from: ends.last ?? 0, inputs, dimensions: dimensions))
            }
            return ends
        }
        let small = EmbeddingLimits(inputs: 3, bytes: 10)
        #expect(ends(small, ["1", "2", "3", "4"], dimensions: 8) == [3, 4])
        #expect(ends(small, ["12345", "12345", "1", "12345678901234", "1"], dimensions: 8) == [2, 3, 4, 5])
        // The response is bounded too: 8 MiB, of 16 bytes per number.
        let large = EmbeddingLimits(inputs: 2048, bytes: .max)
        let texts = Array(repeating: "x", count: 300)
        #expect(ends(large, texts, dimensions: 4096) == [128, 256, 300])
        #expect(ends(large, texts, dimensions: 0) == [128, 256, 300])
        #expect(ends(large, texts, dimensions: 65_536) == Array(stride(from: 8, through: 296, by: 8)) + [300])
    }

    // MARK: - The table

    private static func withContext<T: Sendable>(
        budget: Int = .max, _ body: @escaping @Sendable (ProviderContext) throws -> T
    ) async throws -> T {
        let loop = try EventLoop(label: "embedding-test")
        let result = await loop.perform {
            let client = HTTPClient(loop: loop, options: HTTPClientOptions())
            let context = ProviderContext(
                loop: loop, client: client, parser: JSONParser(), answers: AnswerBudget(limit: budget))
            defer { client.shutdown() }
            return Swift.Result { try body(context) }
        }
        await loop.shutdown()
        return try result.get()
    }

    @Test(arguments: [
        (EmbedRequest(inputs: []), "inputs is empty"), (EmbedRequest(inputs: ["a", ""]), "inputs[1] is empty"),
        (EmbedRequest(inputs: Array(repeating: "a", count: 16_385)), "at most 16384"),
        (EmbedRequest(inputs: ["a"], dimensions: 0), "dimensions is 0"),
        (EmbedRequest(inputs: ["a"], dimensions: 65_537), "1 to 65536"),
        (EmbedRequest(inputs: Array(repeating: "a", count: 11), dimensions: 24), "send at most 10 inputs"),
    ])
    func refusedBeforeAnyWork(_ request: EmbedRequest, _ words: String) async throws {
        let message = try await Self.withContext { context in
            let question = Question.embed(request, into: VectorTable(request, limit: 1000, context: context))
            do throws(GenerationError) {
                try question.check()
                return ""
            } catch {
                return error.kind == .invalidRequest ? error.message : "\(error)"
            }
        }
        #expect(message.contains(words), "\(message)")
    }

    @Test func vectorsOfTwoModelsOrLengthsDoNotMix() async throws {
        let first = try DialectHarness("openai", "a").model
        let second = try DialectHarness("openai", "b").model
        try await Self.withContext { context in
            let table = VectorTable(EmbedRequest(inputs: ["a", "b", "c"]), limit: 1000, context: context)
            var batch = EmbeddedBatch()
            batch.vectors = [[1, 2]]
            batch.use(5)
            try table.begin(first, dimensions: nil)
            try table.store(batch, at: [1], providerName: "v")
            #expect(table.missing == [0, 2] && table.dimensions == 2)
            try table.begin(first, dimensions: nil)
            #expect(table.missing == [0, 2])
            var other = EmbeddedBatch()
            other.vectors = [[1, 2, 3]]
            let error = #expect(throws: GenerationError.self) { try table.store(other, at: [0], providerName: "v") }
            #expect(error?.kind == .badProviderResponse)
            try table.begin(second, dimensions: nil)
            #expect(table.missing == [0, 1, 2] && table.usage.inputTokens == 5)
            // Now the length is known: three of them are too many.
            other.vectors = [Array(repeating: 1, count: 100)]
            let size = #expect(throws: GenerationError.self) { try table.store(other, at: [0], providerName: "v") }
            #expect(size?.kind == .invalidRequest && size?.message.contains("send at most 2 inputs") == true)
        }
    }

    @Test func vectorsCountAsMemoryOfResponses() async throws {
        let model = try DialectHarness("openai", "a").model
        try await Self.withContext(budget: 64 << 10) { context in
            let table = VectorTable(
                EmbedRequest(inputs: Array(repeating: "a", count: 100)), limit: 1 << 20, context: context)
            try table.begin(model, dimensions: nil)
            var batch = EmbeddedBatch()
            batch.vectors = [Array(repeating: 1, count: 1000)]
            let error = #expect(throws: GenerationError.self) { try table.store(batch, at: [0], providerName: "v") }
            #expect(error?.kind == .overloaded)
        }
    }
}
