internal import Config
internal import EventLoop
package import Generation
internal import HTTPClient
internal import JSON

/// A free request to a model's provider: checks the credential, or counts the tokens of a request. Confined to one
/// loop.
package final class ProviderQuery: AuthorizedTransferDelegate {
    private enum Question {
        case probe(ProbeCompletion)
        case tokenCount(any Dialect, TokenCompletion)
    }

    /// Receives `nil` if the provider is available and accepts the credential.
    package typealias ProbeCompletion = (GenerationError?) -> Void
    /// Receives the provider's count.
    package typealias TokenCompletion = (Result<Int, GenerationError>) -> Void

    /// The maximum length of a response that is read; of a list of models only the status matters.
    private static let maximumBytes = 64 << 10
    /// The timeout in nanoseconds, unless the model's own is shorter.
    private static let timeout = TimeAmount.seconds(10)

    private let model: ConfiguredModel
    private let context: ProviderContext
    private var gate: AnswerGate
    private var transfer: AuthorizedTransfer?
    private var head: HTTPResponseHead?
    private var body: [UInt8] = []
    private var question: Question?
    private var mediaFetch: MediaFetch?
    /// The argument of `ProbeLimiter.leave` while this query waits for a probe.
    private var place: UInt64?

    /// Creates a query; `probe` or `countTokens` sends it.
    package init(model: ConfiguredModel, context: ProviderContext) {
        self.model = model
        self.context = context
        gate = AnswerGate(model)
    }

    /// Checks whether the provider accepts the credential. Concurrent probes share one request, and the last result is
    /// returned if the rate limit is reached. `completion` is called exactly once, possibly before this returns, unless
    /// the query is cancelled.
    package func probe(_ completion: @escaping ProbeCompletion) {
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
            // The request belongs to all waiters: cancelling the first must not cancel it.
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

    /// Asks the provider to count tokens, if it can. `completion` is called exactly once, unless cancelled.
    /// - Returns: whether the provider was asked. If not, `completion` is not called, and the caller must estimate.
    /// - Throws: `.invalidRequest` if the request cannot be encoded for the vendor.
    package func countTokens(
        _ request: ChatRequest, _ completion: @escaping TokenCompletion
    ) throws(GenerationError) -> Bool {
        let api = model.api(for: request)
        guard let url = api.endpoints.countTokens else { return false }
        let prepared = try PreparedRequest(request, for: model, isStream: false)
        let urls = model.mediaFetch == nil ? [] : try prepared.mediaURLs()
        if let rule = model.mediaFetch, !urls.isEmpty {
            question = .tokenCount(api.dialect, completion)
            let fetch = MediaFetch(urls, rule, timeouts: model.timeouts, context: context)
            mediaFetch = fetch
            fetch.start { [self] in receive($0, prepared, rule, api.dialect, url) }
            return true
        }
        guard let body = try api.dialect.encodeTokenCount(prepared, for: model) else { return false }
        question = .tokenCount(api.dialect, completion)
        send(url, body: body.bytes)
        return true
    }

    private func receive(
        _ media: Result<[String: MediaFetch.Content], GenerationError>, _ prepared: PreparedRequest,
        _ rule: MediaFetch.Rule, _ dialect: any Dialect, _ url: String
    ) {
        mediaFetch = nil
        do throws(GenerationError) {
            var prepared = prepared
            _ = try prepared.inline(media.get(), rule)
            guard let body = try dialect.encodeTokenCount(prepared, for: model) else {
                throw GenerationError(.unsupported, "\(model.providerName) counts no tokens")
            }
            send(url, body: body.bytes)
        } catch {
            answer(complete(error))
        }
    }

    /// Cancels; the completion is not called.
    package func cancel() {
        question = nil
        mediaFetch?.cancel()
        mediaFetch = nil
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
            // Many compatible servers have no list of models; they would have rejected a credential first.
            let isMissing = head.map { $0.status == 404 || $0.status == 405 } ?? false
            if isMissing, case .get = model.endpoints.probe { return completion(nil) }
            completion(failure)
        case .tokenCount(let dialect, let completion):
            if let failure { return completion(.failure(failure)) }
            if let root = try? context.parser.parse(body), let count = dialect.tokenCount(root) {
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

    /// Adds the provider and model to an error.
    private func complete(_ error: GenerationError) -> GenerationError {
        var error = error
        error.provider = model.providerName
        error.model = model.name
        return error
    }
}
