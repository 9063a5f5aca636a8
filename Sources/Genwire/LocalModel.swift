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
        let loop = gateway.loop
        let request = ChatRequest(model: name, messages: messages, tools: tools)
        let box = Locked<LoopBound<UnaryAnswer>?>(nil)
        let result: Result<ChatResponse, GenerationError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                loop.execute { [gateway] in
                    let answer = UnaryAnswer { continuation.resume(returning: $0) }
                    answer.start(gateway.answer(request, .chat, into: answer))
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
