internal import Config
public import EventLoop
public import Generation
public import HTTPClient
public import JSON

/// What attempts on one loop share.
public final class ProviderContext: Upstream {
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

    /// Part of `Upstream`.
    public func attempt(
        at model: ConfiguredModel, _ request: ChatRequest, isStream: Bool, into sink: any AnswerSink
    ) -> any UpstreamAttempt {
        ProviderAttempt(model: model, request: request, isStream: isStream, context: self, sink: sink)
    }
}

/// One request to one model: builds the body, runs the transfer, decodes what comes. Belongs to one loop.
public final class ProviderAttempt: UpstreamAttempt, AuthorizedTransferDelegate {
    /// How much of an error's body is read, in bytes.
    private static let maximumErrorBytes = 64 << 10
    /// How long a connection may stay open after its stream's end mark before it is given up.
    private static let closingNanoseconds: UInt64 = 1_000_000_000

    /// Under which the vendors say how they logged a request.
    private static let requestIDHeaders: [StaticString] = [
        "x-request-id", "request-id", "apim-request-id", "x-goog-request-id",
    ]

    /// Each phase leads to a later one only.
    private enum Phase {
        /// No head came yet: the request waits for its token, or was sent.
        case waiting
        case streaming(StreamReader, HTTPResponseHead)
        /// `body` grows: a whole answer, or an error.
        case collecting(HTTPResponseHead)
        /// The stream's end was reported; its transfer has until the timer to end by itself.
        case closing(LoopTimer)
        /// The end was reported, or nobody wants to hear of it.
        case over
    }

    private let model: ConfiguredModel
    private let request: ChatRequest
    private let isStream: Bool
    private let context: ProviderContext
    private weak var sink: (any AnswerSink)?
    private var gate: AnswerGate
    private var transfer: AuthorizedTransfer?
    private var phase = Phase.waiting
    /// The body, where it is not decoded piece by piece.
    private var body: [UInt8] = []
    /// For what is kept of the answer.
    private var share: AnswerBudget.Share
    private var warnings: [String] = []

    /// The HTTP status; 0 while none came.
    public var httpStatus: Int { transfer?.httpStatus ?? 0 }
    /// Making the connection took this long, in microseconds; 0 where one was re-used.
    public var connectMicroseconds: Int64 { transfer?.connectMicroseconds ?? 0 }
    /// Waiting for a token took this long, in microseconds; 0 as a rule, since one is available.
    public var authMicroseconds: Int64 { transfer?.authMicroseconds ?? 0 }
    /// The sendings that were repeated, in their order; empty as a rule, at most three. Complete once the attempt has
    /// finished.
    public var repeatedSendings: [RepeatedSending] { transfer?.repeatedSendings ?? [] }
    /// The size of the request's body while it may still have to be sent, in bytes.
    public var bodyBytes: Int { transfer?.bodyBytes ?? 0 }

    /// An attempt that `start` sets going.
    public init(
        model: ConfiguredModel, request: ChatRequest, isStream: Bool, context: ProviderContext, sink: any AnswerSink
    ) {
        self.model = model
        self.request = request
        self.isStream = isStream
        self.context = context
        self.sink = sink
        share = AnswerBudget.Share(context.answers)
        gate = AnswerGate(model)
    }

    private var isOver: Bool {
        switch phase {
        case .waiting, .streaming, .collecting: false
        case .closing, .over: true
        }
    }

    private var dialect: any Dialect { model.provider.dialect }
    private var includesReasoning: Bool { request.options.reasoning.include }

    /// Sends the request; the attempt fails at once where the request cannot be put into the vendor's words.
    public func start() {
        do throws(GenerationError) {
            let prepared = try PreparedRequest(request, for: model, isStream: isStream)
            warnings = prepared.warnings
            let request = AuthorizedTransfer.Request(
                url: isStream ? model.endpoints.stream : model.endpoints.whole,
                body: try model.body(dialect.encode(prepared, for: model)), timeouts: model.timeouts,
                prefersHTTP1: isStream)
            let transfer = AuthorizedTransfer(request, model: model, context: context)
            self.transfer = transfer
            transfer.start(self)
        } catch {
            fail(error)
        }
    }

    /// Gives up: the upstream connection is closed at once, and the sink hears nothing more.
    public func cancel(_ cause: CancelCause = .caller) {
        guard !isOver else { return }
        end()
        transfer?.cancel()
    }

    /// Lets a paused stream go on.
    public func resume() { transfer?.resume() }

    // MARK: - From the transfer

    func transferWillSend(as identity: ConfiguredModel.Identity) { gate.add(identity) }

    func transferDidReceiveHead(_ head: HTTPResponseHead) {
        guard isStream, head.status < 300,
            (head.header("content-type")?.lowercased() ?? "text/event-stream").hasPrefix("text/event-stream")
        else {
            phase = .collecting(head)
            return
        }
        phase = .streaming(
            StreamReader(model, includesReasoning: includesReasoning, parser: context.parser), head)
    }

    func transferDidReceive(_ bytes: UnsafeRawBufferPointer) -> Demand {
        switch phase {
        case .streaming(let reader, let head): return consume(bytes, reader, head)
        case .collecting(let head):
            collect(bytes, head)
            return .more
        case .waiting, .closing, .over: return .more
        }
    }

    func transferDidFinish(_ failure: AuthorizedTransfer.Failure?) {
        if case .closing(let timer) = phase {
            context.loop.cancel(timer)
            phase = .over
        }
        guard !isOver else { return }
        // A status says more than how its body broke off.
        if case .collecting(let head) = phase, head.status >= 300 { return fail(errorAnswer(head)) }
        switch failure {
        case .noIdentity(let error): return fail(error)
        case .transfer(let error): return fail(self.error(from: error))
        case nil: break
        }
        switch phase {
        case .streaming(let reader, let head): flush(reader, head)
        case .collecting(let head): finishWhole(head)
        case .waiting, .closing, .over:
            fail(GenerationError(.badProviderResponse, "the response ended before its headers"))
        }
    }

    // MARK: - Streams

    private func consume(
        _ bytes: UnsafeRawBufferPointer, _ reader: StreamReader, _ head: HTTPResponseHead
    ) -> Demand {
        var demand = Demand.more
        do {
            try reader.consume(bytes) { deliver($0, &demand) }
            guard !isOver else { return demand }
            try share.hold(reader.keptBytes)
        } catch {
            fail(error)
            return .more
        }
        if reader.isDone { endStream(reader, head, isClosing: true) }
        return demand
    }

    /// The body has ended, with or without an end mark.
    private func flush(_ reader: StreamReader, _ head: HTTPResponseHead) {
        do {
            var demand = Demand.more
            try reader.flush { deliver($0, &demand) }
        } catch {
            // Half an event is unreadable because the rest is missing.
            let isHalf = error.kind == .badProviderResponse
            return fail(
                isHalf
                    ? GenerationError(
                        .streamInterrupted, "\(model.providerName) ended the stream in the middle of an event")
                    : error)
        }
        if !isOver { endStream(reader, head, isClosing: false) }
    }

    private func deliver(_ event: ChunkEvent, _ demand: inout Demand) {
        guard !isOver else { return }
        for kept in gate.flush(before: event) where hand(kept) == .pause { demand = .pause }
        if let event = gate.pass(event), hand(event) == .pause { demand = .pause }
    }

    private func hand(_ event: ChunkEvent) -> Demand? { isOver ? nil : sink?.receive(event) }

    /// Hands on what the gate has kept. The stream is over.
    private func deliverRest() {
        for event in gate.end() { _ = hand(event) }
    }

    /// Reports the end of a good stream at once. Where the transfer goes on, it ends a moment later as a rule, so that its
    /// connection can be used again.
    private func endStream(_ reader: StreamReader, _ head: HTTPResponseHead, isClosing: Bool) {
        do {
            var demand = Demand.more
            let completion = try reader.finish { deliver($0, &demand) }
            deliverRest()
            guard !isOver else { return }
            end()
            if isClosing {
                let timer = LoopTimer { [weak self] in self?.transfer?.cancel() }
                phase = .closing(timer)
                context.loop.schedule(timer, afterNanoseconds: Self.closingNanoseconds)
            }
            report(ChatResponse(message: Message(role: .assistant), completion: completion), head)
        } catch {
            fail(error)
        }
    }

    // MARK: - Whole answers

    private func collect(_ bytes: UnsafeRawBufferPointer, _ head: HTTPResponseHead) {
        if head.status >= 300 {
            body.append(contentsOf: bytes.prefix(Self.maximumErrorBytes - body.count))
            // A vendor's error fits; of anything else the beginning tells enough.
            if body.count >= Self.maximumErrorBytes { fail(errorAnswer(head)) }
            return
        }
        guard body.count + bytes.count <= CallBudget.bytes else {
            return fail(CallBudget.exceeded(model.providerName, "exceeds \(CallBudget.bytes) bytes"))
        }
        body.append(contentsOf: bytes)
        do { try share.hold(body.capacity) } catch { fail(error) }
    }

    private func finishWhole(_ head: HTTPResponseHead) {
        do {
            let root: JSONElement
            do {
                root = try context.parser.parse(body)
            } catch {
                let words = body.isEmpty ? "it is empty" : PageText.beginning(body)
                throw GenerationError(
                    .badProviderResponse,
                    "\(model.providerName)'s response is not JSON: \(words.isEmpty ? error.description : words)")
            }
            let response = try dialect.decode(root, for: model, includesReasoning: includesReasoning)
            guard isStream else { return finish(response, head) }
            // A server that answers a stream's request with a whole answer: one burst of chunks.
            deliver(response.message)
            guard !isOver else { return }
            finish(ChatResponse(message: Message(role: .assistant), completion: response.completion), head)
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
        case .badURL: return GenerationError(.invalidRequest, "\(model.name): api_base is not a valid URL: \(error)")
        case .tooLarge: return GenerationError(.badProviderResponse, words)
        case .other: return GenerationError(hasContent ? .streamInterrupted : .network, words)
        }
    }

    // MARK: - The end

    /// Nothing more is heard of the attempt, and nothing kept for it: it may live on until its connection is free.
    private func end() {
        phase = .over
        body = []
        share.giveBack()
    }

    private func finish(_ response: ChatResponse, _ head: HTTPResponseHead) {
        end()
        report(response, head)
    }

    private func report(_ response: ChatResponse, _ head: HTTPResponseHead) {
        var response = response
        response.completion.providerRequestID =
            Self.requestIDHeaders.lazy.compactMap { head.header($0) }.first ?? ""
        response.completion.warnings = warnings + response.completion.warnings
        if response.completion.model.isEmpty { response.completion.model = model.modelName }
        sink?.finish(.success(gate.pass(response)))
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
        sink?.finish(.failure(error))
    }
}
