internal import Config
internal import EventLoop
public import Generation
internal import HTTPClient
internal import JSON

/// A small question to a model's provider that costs nothing: whether it takes the credential, or how many tokens a
/// request has. Belongs to one loop.
public final class ProviderQuery: AuthorizedTransferDelegate {
    private enum Question {
        case probe(ProbeCompletion)
        case tokenCount(TokenCompletion)
    }

    /// Hears `nil` where the provider is well and takes the credential.
    public typealias ProbeCompletion = (GenerationError?) -> Void
    /// Hears the provider's count.
    public typealias TokenCompletion = (Result<Int, GenerationError>) -> Void

    /// No answer to such a question is longer; of a list of models only the status matters.
    private static let maximumBytes = 64 << 10
    /// How long an answer may take, in nanoseconds, where the model's own limit is not shorter.
    private static let timeout: UInt64 = 10_000_000_000

    private let model: ConfiguredModel
    private let context: ProviderContext
    private var gate: AnswerGate
    private var transfer: AuthorizedTransfer?
    private var head: HTTPResponseHead?
    private var body: [UInt8] = []
    private var question: Question?
    /// The place among those who wait for a probe.
    private var place: UInt64?

    /// A query that one of the methods below sets going.
    public init(model: ConfiguredModel, context: ProviderContext) {
        self.model = model
        self.context = context
        gate = AnswerGate(model)
    }

    /// Asks whether the provider takes the credential, together with all who ask at the same time, or repeats its last
    /// answer where it was asked too often. `completion` is called exactly once, unless cancelled; it may be before this
    /// returns.
    public func probe(_ completion: @escaping ProbeCompletion) {
        let waiter = ProbeLimiter.Waiter { answer in
            switch answer {
            case .success: completion(nil)
            case .failure(let error): completion(error)
            }
        }
        switch model.probes.enter(LoopBound(waiter, on: context.loop)) {
        case .answered(.success): completion(nil)
        case .answered(.failure(let error)): completion(error)
        case .waits(let place): self.place = place
        case .asks(let place):
            self.place = place
            // The question is everybody's who waits, and not the one's who came first.
            ProviderQuery(model: model, context: context).askForAll()
        }
    }

    private func askForAll() {
        question = .probe { [model] error in model.probes.finish(error.map { .failure($0) } ?? .success(())) }
        switch model.endpoints.probe {
        case .get(let url): send(url, body: nil)
        case .post(let url, let body): send(url, body: Array(body.utf8))
        }
    }

    /// Asks the provider to count, where it does. `completion` is called exactly once, unless cancelled.
    /// - Returns: whether the provider was asked; where not, `completion` is not called, and an estimate must do.
    /// - Throws: `.invalidRequest` where the request cannot be put into the vendor's words.
    public func countTokens(
        _ request: ChatRequest, _ completion: @escaping TokenCompletion
    ) throws(GenerationError) -> Bool {
        guard let url = model.endpoints.countTokens else { return false }
        let prepared = try PreparedRequest(request, for: model, isStream: false)
        guard let body = try model.provider.dialect.encodeTokenCount(prepared, for: model) else { return false }
        question = .tokenCount(completion)
        send(url, body: body.bytes)
        return true
    }

    /// Gives up; nobody hears anything.
    public func cancel() {
        question = nil
        if let place { model.probes.leave(place) }
        transfer?.cancel()
    }

    private func send(_ url: String, body: [UInt8]?) {
        var timeouts = model.timeouts
        timeouts.total = min(timeouts.total, Self.timeout)
        let request = AuthorizedTransfer.Request(url: url, body: body, timeouts: timeouts)
        let transfer = AuthorizedTransfer(request, model: model, context: context)
        self.transfer = transfer
        transfer.start(self)
    }

    func transferWillSend(as identity: ConfiguredModel.Identity) { gate.add(identity) }

    func transferDidReceiveHead(_ head: HTTPResponseHead) { self.head = head }

    func transferDidReceive(_ bytes: UnsafeRawBufferPointer) -> Demand {
        if body.count < Self.maximumBytes { body.append(contentsOf: bytes.prefix(Self.maximumBytes - body.count)) }
        return .more
    }

    func transferDidFinish(_ failure: AuthorizedTransfer.Failure?) { answer(error(from: failure)) }

    private func answer(_ failure: GenerationError?) {
        let failure = failure.map { gate.pass($0) }
        let question = question
        self.question = nil
        switch question {
        case nil: break
        case .probe(let completion):
            // Many compatible servers have no list of models; a credential problem would have come first.
            let isMissing = head.map { $0.status == 404 || $0.status == 405 } ?? false
            if isMissing, case .get = model.endpoints.probe { return completion(nil) }
            completion(failure)
        case .tokenCount(let completion):
            if let failure { return completion(.failure(failure)) }
            if let root = try? context.parser.parse(body), let count = model.provider.dialect.tokenCount(root) {
                return completion(.success(count))
            }
            completion(
                .failure(GenerationError(.badProviderResponse, "\(model.providerName) returned no token count")))
        }
    }

    private func error(from failure: AuthorizedTransfer.Failure?) -> GenerationError? {
        switch failure {
        case .noIdentity(let error): return complete(error)
        case .transfer(let error): return complete(GenerationError(.network, "\(model.providerName): \(error)"))
        case nil: break
        }
        guard let head else { return GenerationError(.badProviderResponse, "the response ended before its headers") }
        if head.status < 300 { return nil }
        return VendorError(body: body, status: head.status, providerName: model.providerName, parser: context.parser)
            .generationError(httpStatus: head.status, head: head, model: model)
    }

    /// With what the caller wants to know.
    private func complete(_ error: GenerationError) -> GenerationError {
        var error = error
        error.provider = model.providerName
        error.model = model.name
        return error
    }
}
