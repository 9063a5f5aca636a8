public import Generation

/// A language model, used from inside a process without a daemon.
///
/// One protocol for every provider: what the source system calls `generate_content`, `chat_completion`,
/// `get_coin_token` and so on has its place here (see docs/in-process-api.md for the whole table).
public protocol GenerationModel: Sendable {
    /// The provider's name.
    var provider: String { get }
    /// The vendor's name of the model.
    var modelName: String { get }

    /// Answers one prompt.
    /// - Throws: `GenerationError`.
    func generateContent(_ prompt: String) async throws(GenerationError) -> String
    /// Answers a conversation, with tools where the model shall have some.
    /// - Throws: `GenerationError`.
    func chatCompletion(_ messages: [Message], tools: [Tool]) async throws(GenerationError) -> ChatResponse
    /// Answers a conversation piece by piece. The sequence throws unless the answer came to its own end.
    func chatCompletionStream(_ messages: [Message], tools: [Tool]) -> GenerationStream
    /// Answers many prompts side by side, `parallel` at a time; one failure does not end the others.
    func batchGenerate(_ prompts: [String], parallel: Int) async -> [Result<String, GenerationError>]
    /// The credential's token, as it would be sent.
    /// - Throws: `GenerationError` of kind `.authentication` where there is none.
    func coinToken() async throws(GenerationError) -> String
    /// Whether the provider takes the credential. Costs nothing.
    func validateAuthentication() async -> Bool
    /// The credential's state: asks the provider with a call that costs nothing.
    func authHealthStatus() async -> AuthHealth
}

/// The state of a model's credential.
public struct AuthHealth: Sendable, Equatable {
    /// Whether a call would get through.
    public var isValid: Bool
    /// Never `pending` or `unknown`.
    public var status: CredentialStatus
    /// What is wrong and what to do; empty where nothing is.
    public var detail: String
    /// Seconds until the token expires; `nil` where it does not or nobody knows.
    public var expiresInSeconds: Int64?
}

extension GenerationModel {
    /// Answers a conversation.
    /// - Throws: `GenerationError`.
    public func chatCompletion(_ messages: [Message]) async throws(GenerationError) -> ChatResponse {
        try await chatCompletion(messages, tools: [])
    }

    /// Answers a conversation piece by piece.
    public func chatCompletionStream(_ messages: [Message]) -> GenerationStream {
        chatCompletionStream(messages, tools: [])
    }

    /// Answers one prompt.
    /// - Throws: `GenerationError`.
    public func generateContent(_ prompt: String) async throws(GenerationError) -> String {
        try await chatCompletion([Message(role: .user, content: prompt)], tools: []).message.content
    }

    /// Answers many prompts, five at a time.
    public func batchGenerate(_ prompts: [String]) async -> [Result<String, GenerationError>] {
        await batchGenerate(prompts, parallel: 5)
    }

    /// Answers many prompts side by side.
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
