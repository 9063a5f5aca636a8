public import Generation

/// A language model that runs in this process, without a daemon. Created by `GenerationModelFactory`.
///
/// The methods correspond to those of the Python API, such as `generate_content`, `chat_completion` and
/// `get_coin_token`; docs/in-process-api.md has a table.
public protocol GenerationModel: Sendable {
    /// The provider's name, for example `openai`.
    var provider: String { get }
    /// The vendor's name of the model, for example `gpt-6-luna`.
    var modelName: String { get }

    /// Sends one prompt and returns the text of the response.
    /// - Throws: `GenerationError`.
    func generateContent(_ prompt: String) async throws(GenerationError) -> String
    /// Sends a conversation and returns the complete response.
    /// - Parameter tools: the tools that the model may call; empty for none.
    /// - Throws: `GenerationError`.
    func chatCompletion(_ messages: [Message], tools: [Tool]) async throws(GenerationError) -> ChatResponse
    /// Sends a conversation and returns the response as a stream of chunks. The stream throws unless the response is
    /// complete.
    func chatCompletionStream(_ messages: [Message], tools: [Tool]) -> GenerationStream
    /// Returns one vector per text, in order.
    /// - Parameters:
    ///   - inputs: 1 to 16,384 texts; none may be empty.
    ///   - dimensions: the length of the vectors; `nil` for the model's own.
    ///   - inputType: what the vectors are for, in the provider's terms, for example `RETRIEVAL_QUERY`; empty for its
    ///     default.
    /// - Throws: `GenerationError`; `.unsupported` if the provider has no embeddings or no input types.
    func embed(
        _ inputs: [String], dimensions: Int?, inputType: String
    ) async throws(GenerationError) -> EmbedResponse
    /// Sends many prompts, up to `parallel` at a time, and returns one result per prompt, in order. A failure does not
    /// affect the other prompts.
    func batchGenerate(_ prompts: [String], parallel: Int) async -> [Result<String, GenerationError>]
    /// Returns the credential's token or API key, fetching a token if necessary.
    /// - Throws: `GenerationError`; `.authentication` if the model has no credential.
    func coinToken() async throws(GenerationError) -> String
    /// Returns whether the provider accepts the credential. Sends a request that is free of charge.
    func validateAuthentication() async -> Bool
    /// Returns the state of the credential. Sends a request that is free of charge.
    func authHealthStatus() async -> AuthHealth
}

/// The state of a model's credential.
public struct AuthHealth: Sendable, Equatable {
    /// Whether the provider accepted the credential.
    public var isValid: Bool
    /// Never `pending` or `unknown`.
    public var status: CredentialStatus
    /// The problem and its remedy; empty if there is none.
    public var detail: String
    /// Seconds until the token expires; `nil` if it does not expire or the expiry is unknown.
    public var expiresInSeconds: Int64?
}

extension GenerationModel {
    /// Sends a conversation, without tools, and returns the complete response.
    /// - Throws: `GenerationError`.
    public func chatCompletion(_ messages: [Message]) async throws(GenerationError) -> ChatResponse {
        try await chatCompletion(messages, tools: [])
    }

    /// Sends a conversation, without tools, and returns the response as a stream of chunks.
    public func chatCompletionStream(_ messages: [Message]) -> GenerationStream {
        chatCompletionStream(messages, tools: [])
    }

    /// Sends one prompt as a user message and returns the text of the response.
    /// - Throws: `GenerationError`.
    public func generateContent(_ prompt: String) async throws(GenerationError) -> String {
        try await chatCompletion([Message(role: .user, content: prompt)], tools: []).message.content
    }

    /// Returns one vector of the model's own length per text, in order.
    /// - Throws: `GenerationError`; `.unsupported` if the provider has no embeddings.
    public func embed(_ inputs: [String]) async throws(GenerationError) -> EmbedResponse {
        try await embed(inputs, dimensions: nil, inputType: "")
    }

    /// Sends many prompts, up to five at a time, and returns one result per prompt, in order.
    public func batchGenerate(_ prompts: [String]) async -> [Result<String, GenerationError>] {
        await batchGenerate(prompts, parallel: 5)
    }

    /// Sends many prompts, up to `parallel` (at least 1) at a time, and returns one result per prompt, in order.
    public func batchGenerate(_ prompts: [String], parallel: Int) async -> [Result<String, GenerationError>] {
        await withTaskGroup(of: (Int, Result<String, GenerationError>).self) { group in
            var results = [Result<String, GenerationError>?](repeating: nil, count: prompts.count)
            var next = 0
            func add() {
                guard next < prompts.count else { return }
                let index = next
                next += 1
                group.addTask {
                    do throws(GenerationError) {
                        return (index, .success(try await generateContent(prompts[index])))
                    } catch {
                        return (index, .failure(error))
                    }
                }
            }
            for _ in 0..<max(1, parallel) { add() }
            while let (index, result) = await group.next() {
                results[index] = result
                add()
            }
            return results.compactMap { $0 }
        }
    }
}
