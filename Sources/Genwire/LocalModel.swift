internal import Auth
internal import Config
internal import EventLoop
internal import Gateway
internal import Generation
internal import Providers

/// A model or route that runs on the process's shared loop.
final class LocalModel: GenerationModel {
    private let gateway: LocalGateway
    private let name: String
    /// The model, or the first model of the route.
    private let model: ConfiguredModel

    /// - Parameters:
    ///   - name: the model or route that requests use.
    ///   - model: the model whose credential is checked.
    init(_ gateway: LocalGateway, name: String, model: ConfiguredModel) {
        self.gateway = gateway
        self.name = name
        self.model = model
    }

    var provider: String { model.providerName }
    var modelName: String { model.modelName }

    func chatCompletion(_ messages: [Message], tools: [Tool]) async throws(GenerationError) -> ChatResponse {
        let request = ChatRequest(model: name, messages: messages, tools: tools)
        return try await answer(.chat) { _ in (.chat(request), { $0 }) }
    }

    func embed(
        _ inputs: [String], dimensions: Int?, inputType: String
    ) async throws(GenerationError) -> EmbedResponse {
        let request = EmbedRequest(model: name, inputs: inputs, dimensions: dimensions, inputType: inputType)
        return try await answer(.embed) { context in
            let table = VectorTable(request, limit: VectorTable.processLimit, context: context)
            return (.embed(request, into: table), { table.response($0.completion) })
        }
    }

    /// Asks for a unary response.
    /// - Parameter ask: makes the question, on the loop, and returns what to make of the response.
    private func answer<T: Sendable>(
        _ operation: CallRecord.Operation,
        _ ask: @escaping @Sendable (ProviderContext) -> (question: Question, read: (ChatResponse) -> T)
    ) async throws(GenerationError) -> T {
        let loop = gateway.loop
        let box = Locked<LoopBound<UnaryAnswer>?>(nil)
        let result: Result<T, GenerationError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                loop.execute { [gateway] in
                    let (question, read) = ask(gateway.context)
                    let answer = UnaryAnswer { continuation.resume(returning: $0.map(read)) }
                    answer.start(gateway.answer(question, operation, into: answer))
                    let bound = LoopBound(answer, on: loop)
                    box.withLock { $0 = bound }
                    if Task.isCancelled { answer.cancel() }
                }
            }
        } onCancel: {
            loop.execute { box.withLock { $0 }?.value.cancel() }
        }
        return try result.get()
    }

    func chatCompletionStream(_ messages: [Message], tools: [Tool]) -> GenerationStream {
        GenerationStream(gateway, ChatRequest(model: name, messages: messages, tools: tools))
    }

    func coinToken() async throws(GenerationError) -> String {
        guard let credential = model.credential else {
            throw GenerationError(.authentication, "model '\(model.name)' has no credential")
        }
        let loop = gateway.loop
        let result = await withCheckedContinuation { continuation in
            loop.execute { _ = credential.token(on: loop) { continuation.resume(returning: $0) } }
        }
        return try result.get().value.reveal()
    }

    func validateAuthentication() async -> Bool { await authHealthStatus().isValid }

    func authHealthStatus() async -> AuthHealth {
        let loop = gateway.loop
        let error = await withCheckedContinuation { continuation in
            loop.execute { [model, gateway] in
                let query = ProviderQuery(model: model, context: gateway.context)
                query.probe { continuation.resume(returning: $0) }
            }
        }
        let verdict = CredentialVerdict(model, probe: error)
        return AuthHealth(
            isValid: verdict.isValid, status: verdict.status, detail: verdict.detail,
            expiresInSeconds: verdict.expiresInSeconds)
    }
}

/// The sink of a unary request. Confined to the loop; calls its completion exactly once.
private final class UnaryAnswer: AnswerSink {
    private var run: AnswerRun?
    private var completion: ((Result<ChatResponse, GenerationError>) -> Void)?

    init(_ completion: @escaping (Result<ChatResponse, GenerationError>) -> Void) { self.completion = completion }

    func start(_ run: AnswerRun) {
        self.run = run
        run.start()
    }

    func cancel() {
        guard let completion else { return }
        self.completion = nil
        run?.cancel(.caller)
        completion(.failure(GenerationError(.cancelled, "the task was cancelled")))
    }

    func receive(_ event: ChunkEvent) -> Demand { .more }

    func finish(_ result: Result<ChatResponse, GenerationError>) {
        let completion = completion
        self.completion = nil
        completion?(result)
    }
}
