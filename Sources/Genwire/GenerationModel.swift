internal import Auth
internal import Config
internal import EventLoop
internal import Gateway
public import Generation
internal import HTTPClient
internal import JSON
internal import Providers

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

/// A model over the process's own loop.
final class LocalModel: GenerationModel {
    private let model: ConfiguredModel
    private let options: GenerationOptions

    init(_ model: ConfiguredModel, options: GenerationOptions = GenerationOptions()) {
        self.model = model
        self.options = options
    }

    var provider: String { model.providerName }
    var modelName: String { model.modelName }

    func chatCompletion(_ messages: [Message], tools: [Tool]) async throws(GenerationError) -> ChatResponse {
        let engine = try LocalEngine.shared()
        let request = ChatRequest(messages: messages, tools: tools, options: options)
        let box = Locked<LoopBound<UnaryRun>?>(nil)
        let result: Result<ChatResponse, GenerationError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                engine.loop.execute { [model] in
                    let run = UnaryRun { continuation.resume(returning: $0) }
                    run.start(request, model, engine)
                    let bound = LoopBound(run, on: engine.loop)
                    box.withLock { $0 = bound }
                    if Task.isCancelled { run.cancel() }
                }
            }
        } onCancel: {
            engine.loop.execute { box.withLock { $0 }?.value.cancel() }
        }
        return try result.get()
    }

    func chatCompletionStream(_ messages: [Message], tools: [Tool]) -> GenerationStream {
        GenerationStream(model: model, request: ChatRequest(messages: messages, tools: tools, options: options))
    }

    func coinToken() async throws(GenerationError) -> String {
        guard let credential = model.credential else {
            throw GenerationError(.authentication, "\(model.name): there is no credential")
        }
        let engine = try LocalEngine.shared()
        let result = await withCheckedContinuation { continuation in
            engine.loop.execute { _ = credential.token(on: engine.loop) { continuation.resume(returning: $0) } }
        }
        return try result.get().value.reveal()
    }

    func validateAuthentication() async -> Bool { await authHealthStatus().isValid }

    func authHealthStatus() async -> AuthHealth {
        guard let engine = try? LocalEngine.shared() else {
            return AuthHealth(isValid: false, status: .failed, detail: "no event loop")
        }
        let error = await withCheckedContinuation { continuation in
            engine.loop.execute { [model] in
                let query = ProviderQuery(model: model, context: engine.context.value)
                query.probe { continuation.resume(returning: $0) }
            }
        }
        let verdict = CredentialVerdict(model, probe: error)
        return AuthHealth(
            isValid: verdict.isValid, status: verdict.status, detail: verdict.detail,
            expiresInSeconds: verdict.expiresInSeconds)
    }
}

/// The loop, client and parser that all in-process models share; made at the first use and kept.
struct LocalEngine: Sendable {
    let loop: EventLoop
    let context: LoopBound<ProviderContext>
    let ledger: UsageLedger

    /// Lets credentials fetch their tokens here.
    func fetch(_ credentials: CredentialStore) {
        loop.execute { credentials.attach(loop: loop, client: context.value.client) }
    }

    private static let instance: Locked<LocalEngine?> = Locked(nil)

    static func shared() throws(GenerationError) -> LocalEngine {
        if let engine = instance.withLock({ $0 }) { return engine }
        do {
            let loop = try EventLoop(label: "genwire-local")
            let made = makeContext(loop)
            return instance.withLock { current in
                if let current { return current }
                let engine = LocalEngine(loop: loop, context: made, ledger: UsageLedger())
                current = engine
                return engine
            }
        } catch {
            throw GenerationError(.overloaded, "no event loop: \(error)")
        }
    }

    /// Waits for the loop's own word, which comes at once: the loop is new and idle.
    private static func makeContext(_ loop: EventLoop) -> LoopBound<ProviderContext> {
        loop.performBlocking {
            LoopBound(
                ProviderContext(loop: loop, client: HTTPClient(loop: loop), parser: JSONParser()), on: loop)
        }
    }
}

/// A run whose whole answer is wanted.
private final class UnaryRun: RunSink {
    private var run: GenerationRun?
    private var completion: ((Result<ChatResponse, GenerationError>) -> Void)?

    init(_ completion: @escaping (Result<ChatResponse, GenerationError>) -> Void) { self.completion = completion }

    func start(_ request: ChatRequest, _ model: ConfiguredModel, _ engine: LocalEngine) {
        let run = GenerationRun(
            request: request, isStream: false, targets: [model], context: engine.context.value, ledger: engine.ledger,
            startedAt: EventLoop.monotonicNanoseconds(), deadline: nil, sink: self)
        self.run = run
        run.start()
    }

    func cancel() {
        guard let completion else { return }
        self.completion = nil
        run?.cancel()
        completion(.failure(GenerationError(.cancelled, "the task was cancelled")))
    }

    func run(_ run: GenerationRun, didDeliver event: ChunkEvent) -> Demand { .more }

    func run(_ run: GenerationRun, didFinish result: Result<ChatResponse, GenerationError>) {
        let completion = completion
        self.completion = nil
        completion?(result)
    }
}
