internal import Config
public import EventLoop
public import Generation
public import HTTPClient
public import JSON

/// What attempts on one loop share.
public struct ProviderContext {
    /// The loop.
    public let loop: EventLoop
    /// Its HTTP client.
    public let client: HTTPClient
    /// Its JSON parser.
    public let parser: JSONParser
    /// What all answers in progress may take, on other loops too.
    let answers: AnswerBudget

    /// The things of one loop.
    public init(loop: EventLoop, client: HTTPClient, parser: JSONParser, answers: AnswerBudget = .process) {
        self.loop = loop
        self.client = client
        self.parser = parser
        self.answers = answers
    }
}

/// Hears of one attempt. Called on the loop.
public protocol AttemptSink: AnyObject {
    /// A piece of a streamed answer.
    func attempt(_ attempt: ProviderAttempt, didDeliver event: ChunkEvent) -> Demand
    /// The end. Exactly once; never after `cancel`. A streamed answer's message is empty, since it was delivered.
    func attempt(_ attempt: ProviderAttempt, didFinish result: Result<ChatResponse, GenerationError>)
}

/// One request to one model: builds the body, runs the transfer, decodes what comes. Belongs to one loop.
public final class ProviderAttempt: TransferDelegate {
    /// How much of an error's body is read, in bytes.
    private static let maximumErrorBytes = 64 << 10
    /// How long a connection may stay open after its stream's end mark before it is given up.
    private static let closingNanoseconds: UInt64 = 1_000_000_000

    /// Under which the vendors say how they logged a request.
    private static let requestIDHeaders: [StaticString] = [
        "x-request-id", "request-id", "apim-request-id", "x-goog-request-id",
    ]

    private let model: ConfiguredModel
    private let request: ChatRequest
    private let isStream: Bool
    private let context: ProviderContext
    private weak var sink: (any AttemptSink)?
    private let authorization: Authorization
    private var gate: AnswerGate
    private var requestBody: [UInt8] = []
    private var transfer: HTTPTransfer?
    private var sentAt: UInt64 = 0
    /// Of transfers before the present one.
    private var earlierSendings: [RepeatedSending] = []
    /// The provider rejected the token, and there may be a better one: the answer is of no interest.
    private var isRejected = false
    private var head: HTTPResponseHead?
    private var reader: StreamReader?
    /// The body, where it is not decoded piece by piece.
    private var body: [UInt8] = []
    /// For what is kept of the answer.
    private var share: AnswerBudget.Share
    private var warnings: [String] = []
    private var isOver = false
    private var closingTimer: LoopTimer?

    /// The HTTP status; 0 while none came.
    public private(set) var httpStatus = 0
    /// Making the connection took this long, in microseconds; 0 where one was re-used.
    public var connectMicroseconds: Int64 { transfer?.connectMicroseconds ?? 0 }
    /// Waiting for a token took this long, in microseconds; 0 as a rule, since one is at hand.
    public var authMicroseconds: Int64 { authorization.waitedMicroseconds }

    /// The sendings that were repeated, in their order; empty as a rule, at most three. Complete once the attempt has
    /// finished.
    public var repeatedSendings: [RepeatedSending] {
        guard let resend = transfer?.resend else { return earlierSendings }
        let error = GenerationError(.network, "\(model.providerName): \(resend.error)")
        return earlierSendings + [RepeatedSending(httpStatus: 0, error: error, microseconds: resend.microseconds)]
    }

    /// The size of the request's body while it may still have to be sent, in bytes.
    public var bodyBytes: Int { requestBody.count }

    /// An attempt that `start` sets going.
    public init(
        model: ConfiguredModel, request: ChatRequest, isStream: Bool, context: ProviderContext, sink: any AttemptSink
    ) {
        self.model = model
        self.request = request
        self.isStream = isStream
        self.context = context
        self.sink = sink
        share = AnswerBudget.Share(context.answers)
        authorization = Authorization(model: model, loop: context.loop)
        gate = AnswerGate(model)
    }

    private var dialect: any Dialect { model.provider.dialect }
    private var includesReasoning: Bool { request.options.reasoning.include }

    /// Sends the request.
    /// - Throws: `GenerationError` where the request cannot be put into the vendor's words.
    public func start() throws(GenerationError) {
        let prepared = try PreparedRequest(request, for: model, isStream: isStream)
        warnings = prepared.warnings
        requestBody = try model.body(dialect.encode(prepared, for: model))
        send()
    }

    private func send() {
        authorization.identity { [weak self] result in
            guard let self, !isOver else { return }
            switch result {
            case .failure(let error): fail(error)
            case .success(let identity):
                gate.add(identity)
                sentAt = EventLoop.monotonicNanoseconds()
                transfer = context.client.start(
                    HTTPRequest(
                        url: isStream ? model.endpoints.stream : model.endpoints.whole, headers: identity.headers,
                        body: requestBody, timeouts: model.timeouts, prefersHTTP1: isStream,
                        caFile: model.configuration.caFile),
                    delegate: self)
            }
        }
    }

    /// Gives up: the upstream connection is closed at once, and the sink hears nothing more.
    public func cancel() {
        guard !isOver else { return }
        end()
        authorization.cancel()
        transfer?.cancel()
    }

    /// Lets a paused stream go on.
    public func resume() { transfer?.resume() }

    // MARK: - From the transfer

    /// Part of `TransferDelegate`.
    public func transferDidReceiveHead(_ head: HTTPResponseHead) {
        self.head = head
        httpStatus = head.status
        isRejected = authorization.replacesToken(after: head.status)
        // Nothing will be sent again by this attempt.
        if !isRejected { requestBody = [] }
        guard isStream, head.status < 300 else { return }
        let contentType = head.header("content-type")?.lowercased() ?? "text/event-stream"
        if contentType.hasPrefix("text/event-stream") {
            reader = StreamReader(model, includesReasoning: includesReasoning, parser: context.parser)
        }
    }

    /// Part of `TransferDelegate`.
    public func transferDidReceive(_ bytes: UnsafeRawBufferPointer) -> Demand {
        guard !isOver, !isRejected else { return .more }
        guard reader != nil else { return collect(bytes) }
        var demand = Demand.more
        do {
            try reader?.consume(bytes) { deliver($0, &demand) }
            if let reader { try share.hold(reader.keptBytes) }
        } catch {
            fail(error)
            return .more
        }
        if reader?.isDone == true, !isOver { endStream() }
        return demand
    }

    /// Part of `TransferDelegate`.
    public func transferDidFinish(_ error: HTTPError?) {
        if let closingTimer { context.loop.cancel(closingTimer) }
        closingTimer = nil
        guard !isOver else { return }
        if isRejected { return sendWithNewToken() }
        // A status says more than how its body broke off.
        if let head, head.status >= 300 { return fail(errorAnswer(head)) }
        if let error { return fail(self.error(from: error)) }
        guard head != nil else { return fail(GenerationError(.badProviderResponse, "an answer without a head")) }
        if reader != nil {
            do {
                var demand = Demand.more
                try reader?.flush { deliver($0, &demand) }
            } catch {
                // Half an event is unreadable because the rest is missing.
                let isHalf = error.kind == .badProviderResponse
                return fail(
                    isHalf
                        ? GenerationError(
                            .streamInterrupted, "\(model.providerName) ended the stream in the middle of an event")
                        : error)
            }
            endStream()
        } else {
            finishWhole()
        }
    }

    private func sendWithNewToken() {
        let error = GenerationError(
            .authentication, "\(model.providerName) rejected the token; the request was sent again with a new one")
        let elapsed = EventLoop.monotonicNanoseconds() - sentAt
        earlierSendings =
            repeatedSendings
            + [RepeatedSending(httpStatus: httpStatus, error: error, microseconds: Int64(elapsed / 1000))]
        transfer = nil
        isRejected = false
        head = nil
        httpStatus = 0
        send()
    }

    // MARK: - Streams

    private func deliver(_ event: ChunkEvent, _ demand: inout Demand) {
        guard !isOver else { return }
        for kept in gate.flush(before: event) where hand(kept) == .pause { demand = .pause }
        if let event = gate.pass(event), hand(event) == .pause { demand = .pause }
    }

    private func hand(_ event: ChunkEvent) -> Demand? { isOver ? nil : sink?.attempt(self, didDeliver: event) }

    /// Hands on what the gate has kept. The stream is over.
    private func deliverRest() {
        for event in gate.end() { _ = hand(event) }
    }

    /// Reports the end of a good stream at once. The transfer goes on to its own end, a moment later as a rule, so
    /// that its connection can be used again.
    private func endStream() {
        do {
            var demand = Demand.more
            let completion = try reader?.finish { deliver($0, &demand) }
            deliverRest()
            guard let completion, !isOver else { return }
            let timer = LoopTimer { [weak self] in self?.transfer?.cancel() }
            closingTimer = timer
            context.loop.schedule(timer, afterNanoseconds: Self.closingNanoseconds)
            finish(ChatResponse(message: Message(role: .assistant), completion: completion))
        } catch {
            fail(error)
        }
    }

    // MARK: - Whole answers

    private func collect(_ bytes: UnsafeRawBufferPointer) -> Demand {
        if httpStatus >= 300 {
            body.append(contentsOf: bytes.prefix(Self.maximumErrorBytes - body.count))
            // A vendor's error fits; of anything else the beginning tells enough.
            if body.count >= Self.maximumErrorBytes, let head { fail(errorAnswer(head)) }
            return .more
        }
        guard body.count + bytes.count <= CallBudget.bytes else {
            fail(CallBudget.exceeded(model.providerName, "exceeds \(CallBudget.bytes) bytes"))
            return .more
        }
        body.append(contentsOf: bytes)
        do { try share.hold(body.capacity) } catch { fail(error) }
        return .more
    }

    private func finishWhole() {
        do {
            let root: JSONElement
            do {
                root = try context.parser.parse(body)
            } catch {
                let words = body.isEmpty ? "it is empty" : PageText.beginning(body)
                throw GenerationError(
                    .badProviderResponse,
                    "\(model.providerName)'s answer is not JSON: \(words.isEmpty ? error.description : words)")
            }
            let response = try dialect.decode(root, for: model, includesReasoning: includesReasoning)
            guard isStream else { return finish(response) }
            // A server that answers a stream's request with a whole answer: one burst of chunks.
            deliver(response.message)
            if !isOver { finish(ChatResponse(message: Message(role: .assistant), completion: response.completion)) }
        } catch let error as GenerationError {
            fail(error)
        } catch {
            fail(GenerationError(.badProviderResponse, "\(error)"))
        }
    }

    private func deliver(_ message: Message) {
        var events: [ChunkEvent] = []
        var demand = Demand.more
        if !message.reasoning.isEmpty { events.append(.reasoning(message.reasoning)) }
        if !message.content.isEmpty { events.append(.text(message.content)) }
        for (index, call) in message.toolCalls.enumerated() {
            events.append(
                .toolCall(
                    ToolCallDelta(
                        index: index, id: call.id, name: call.name, argumentsJSONDelta: call.argumentsJSON,
                        providerState: call.providerState)))
        }
        for event in events { deliver(event, &demand) }
        deliverRest()
    }

    // MARK: - Errors

    private func errorAnswer(_ head: HTTPResponseHead) -> GenerationError {
        VendorError(body: body, status: head.status, providerName: model.providerName, parser: context.parser)
            .generationError(httpStatus: head.status, head: head, model: model)
    }

    private func error(from error: HTTPError) -> GenerationError {
        let hasContent = httpStatus != 0 && httpStatus < 300
        let words = "\(model.providerName): \(error.description)"
        switch error.kind {
        case .timeout(let phase):
            var result = GenerationError(.timeout, words)
            result.timeoutPhase =
                switch phase {
                case .connect: .connect
                case .firstByte: .firstToken
                case .idle: .idle
                case .total: .total
                }
            return result
        case .interrupted: return GenerationError(hasContent ? .streamInterrupted : .network, words)
        case .resolve, .connect, .tls: return GenerationError(.network, words)
        case .badURL: return GenerationError(.invalidRequest, "\(model.name): api_base is not a usable URL: \(error)")
        case .tooLarge: return GenerationError(.badProviderResponse, words)
        case .other: return GenerationError(hasContent ? .streamInterrupted : .network, words)
        }
    }

    // MARK: - The end

    /// Nothing more is heard of the attempt, and nothing kept for it: it may live on until its connection is free.
    private func end() {
        isOver = true
        body = []
        reader = nil
        share.giveBack()
    }

    private func finish(_ response: ChatResponse) {
        end()
        var response = response
        response.completion.providerRequestID =
            Self.requestIDHeaders.lazy.compactMap { self.head?.header($0) }.first ?? ""
        response.completion.warnings = warnings + response.completion.warnings
        if response.completion.model.isEmpty { response.completion.model = model.modelName }
        sink?.attempt(self, didFinish: .success(gate.pass(response)))
    }

    private func fail(_ error: GenerationError) {
        guard !isOver else { return }
        // Whoever hears of a broken stream has had all that came of it.
        deliverRest()
        guard !isOver else { return }
        end()
        var error = gate.pass(error)
        if error.provider.isEmpty { error.provider = model.providerName }
        if error.model.isEmpty { error.model = model.name }
        if error.httpStatus == 0 { error.httpStatus = httpStatus }
        transfer?.cancel()
        sink?.attempt(self, didFinish: .failure(error))
    }
}
