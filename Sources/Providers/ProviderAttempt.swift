internal import Config
package import EventLoop
package import Generation
package import HTTPClient
package import JSON

/// What the attempts of one loop share. Confined to its loop.
package final class ProviderContext: Upstream {
    /// The loop.
    package let loop: EventLoop
    /// Its HTTP client.
    package let client: HTTPClient
    /// Its JSON parser.
    package let parser: JSONParser
    /// The memory budget of all responses in progress, shared with the other loops.
    let answers: AnswerBudget

    /// Collects what attempts on `loop` share; `client` and `parser` must belong to the same loop.
    package init(loop: EventLoop, client: HTTPClient, parser: JSONParser, answers: AnswerBudget = .process) {
        self.loop = loop
        self.client = client
        self.parser = parser
        self.answers = answers
    }

    /// Creates an attempt; `start` sends it.
    package func attempt(
        at model: ConfiguredModel, _ question: Question, isStream: Bool, into sink: any AnswerSink
    ) -> any UpstreamAttempt {
        switch question {
        case .chat(let request):
            ProviderAttempt(model: model, request: request, isStream: isStream, context: self, sink: sink)
        case .embed(let request, let table):
            EmbeddingAttempt(model: model, request: request, table: table, context: self, sink: sink)
        }
    }
}

/// One request to one model: builds the body, runs the transfer, decodes the response. Confined to one loop.
package final class ProviderAttempt: UpstreamAttempt, AuthorizedTransferDelegate {
    /// How long a connection may stay open after the stream's end marker before it is closed.
    private static let closingTime = TimeAmount.seconds(1)

    /// Phases only advance.
    private enum Phase {
        /// Waiting for a token or for the response headers.
        case waiting
        case streaming(StreamReader, HTTPResponseHead)
        /// Collecting `body`: a unary response or an error.
        case collecting(HTTPResponseHead)
        /// The stream's end was reported; the transfer has until the timer to end.
        case closing(LoopTimer)
        /// Finished or cancelled.
        case over
    }

    private let model: ConfiguredModel
    private let api: ModelAPI
    private let request: ChatRequest
    private let isStream: Bool
    private let context: ProviderContext
    private weak var sink: (any AnswerSink)?
    private var gate: AnswerGate
    private var transfer: AuthorizedTransfer?
    private var phase = Phase.waiting
    /// The body, unless it is decoded as a stream.
    private var body: AnswerBody
    private var warnings: [String] = []
    /// The request without the thinking that the vendor refused, once that has happened.
    private var leavesOutThinking = false
    /// The sendings before the last transfer's.
    private var earlierSendings: [RepeatedSending] = []
    private var sentAt = Instant.now()
    /// What the request's URLs hold is being fetched.
    private var mediaFetch: MediaFetch?

    /// The HTTP status; 0 until the response headers arrive.
    package var httpStatus: Int { transfer?.httpStatus ?? 0 }
    /// How long connecting took, in microseconds; 0 if a connection was reused.
    package var connectMicroseconds: Int64 { transfer?.connectMicroseconds ?? 0 }
    /// How long the request waited for a token, in microseconds; usually 0.
    package var authMicroseconds: Int64 { transfer?.authMicroseconds ?? 0 }
    /// The sendings that were repeated, in order; usually none, at most seven. Complete once the attempt has finished.
    package var repeatedSendings: [RepeatedSending] { earlierSendings + (transfer?.repeatedSendings ?? []) }
    /// The size of the request's body while it may still have to be sent, in bytes.
    package var bodyBytes: Int { transfer?.bodyBytes ?? 0 }

    /// Creates an attempt; `start` sends it.
    package init(
        model: ConfiguredModel, request: ChatRequest, isStream: Bool, context: ProviderContext, sink: any AnswerSink
    ) {
        self.model = model
        api = model.api(for: request)
        self.request = request
        self.isStream = isStream
        self.context = context
        self.sink = sink
        body = AnswerBody(context.answers)
        gate = AnswerGate(model)
    }

    private var isOver: Bool {
        switch phase {
        case .waiting, .streaming, .collecting: false
        case .closing, .over: true
        }
    }

    private var dialect: any Dialect { api.dialect }
    private var wishes: AnswerWishes { AnswerWishes(request.options) }

    /// Sends the request; fails at once if the request cannot be encoded for the vendor.
    package func start() {
        do throws(GenerationError) {
            let prepared = try PreparedRequest(
                request, for: model, isStream: isStream, leavesOutThinking: leavesOutThinking)
            warnings = prepared.warnings
            let urls = model.mediaFetch == nil ? [] : try prepared.mediaURLs()
            guard let rule = model.mediaFetch, !urls.isEmpty else { return try send(prepared) }
            let fetch = MediaFetch(urls, rule, timeouts: model.timeouts, context: context)
            mediaFetch = fetch
            fetch.start { [self] in receive($0, prepared, rule) }
        } catch {
            fail(error)
        }
    }

    private func receive(
        _ media: Result<[String: MediaFetch.Content], GenerationError>, _ prepared: PreparedRequest,
        _ rule: MediaFetch.Rule
    ) {
        mediaFetch = nil
        do throws(GenerationError) {
            var prepared = prepared
            let bytes = try prepared.inline(media.get(), rule)
            // Until the body has been sent, which has them in Base64.
            try body.share.hold(bytes / 3 * 4)
            try send(prepared)
        } catch {
            fail(error)
        }
    }

    private func send(_ prepared: PreparedRequest) throws(GenerationError) {
        let request = AuthorizedTransfer.Request(
            url: isStream ? api.endpoints.stream : api.endpoints.whole,
            body: try model.body(dialect.encode(prepared, for: model), of: prepared), timeouts: model.timeouts,
            prefersHTTP1: isStream)
        let transfer = AuthorizedTransfer(request, model: model, context: context)
        self.transfer = transfer
        sentAt = .now()
        transfer.start(self)
    }

    /// Sends the request once more, if the vendor refused the thinking blocks in it.
    private func startsAgain(after error: GenerationError) -> Bool {
        guard !leavesOutThinking, dialect.refusesThinking(error),
            request.messages.contains(where: { !$0.providerState.isEmpty })
        else { return false }
        let elapsed = Instant.now() - sentAt
        earlierSendings =
            repeatedSendings
            + [
                RepeatedSending(
                    httpStatus: error.httpStatus, error: gate.pass(error), microseconds: elapsed.microseconds)
            ]
        leavesOutThinking = true
        phase = .waiting
        body.clear()
        transfer = nil
        start()
        return true
    }

    /// Closes the upstream connection; the sink is not called again.
    package func cancel(_ cause: CancelCause = .caller) {
        guard !isOver else { return }
        end()
        mediaFetch?.cancel()
        mediaFetch = nil
        transfer?.cancel()
    }

    /// Continues a paused stream.
    package func resume() { transfer?.resume() }

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
            StreamReader(model, dialect: dialect, wishes, parser: context.parser), head)
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
        // An error status is more useful than the error that interrupted its body.
        if case .collecting(let head) = phase, head.status >= 300 {
            let error = errorAnswer(head)
            if !startsAgain(after: error) { fail(error) }
            return
        }
        switch failure {
        case .noIdentity(let error): return fail(error)
        case .transfer(let error): return fail(model.error(from: error, httpStatus: httpStatus))
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
            try body.share.hold(reader.keptBytes)
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
            // A truncated event fails to parse.
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

    /// Delivers the bytes that the gate holds, at the end of the stream.
    private func deliverRest() {
        for event in gate.end() { _ = hand(event) }
    }

    /// Reports the end of a complete stream at once. If the transfer continues, it usually ends a moment later, so that
    /// its connection can be reused.
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
                context.loop.schedule(timer, after: Self.closingTime)
            }
            report(ChatResponse(message: Message(role: .assistant), completion: completion), head)
        } catch {
            fail(error)
        }
    }

    // MARK: - Whole answers

    private func collect(_ bytes: UnsafeRawBufferPointer, _ head: HTTPResponseHead) {
        do {
            let isUseful = try body.add(bytes, status: head.status, providerName: model.providerName)
            if !isUseful { fail(errorAnswer(head)) }
        } catch {
            fail(error)
        }
    }

    private func finishWhole(_ head: HTTPResponseHead) {
        do throws(GenerationError) {
            let root = try body.parse(context.parser, providerName: model.providerName)
            let response = try dialect.decode(root, for: model, wishes)
            guard isStream else { return finish(response, head) }
            // The server returned a unary response to a streaming request: deliver it as chunks.
            deliver(response.message)
            guard !isOver else { return }
            finish(ChatResponse(message: Message(role: .assistant), completion: response.completion), head)
        } catch {
            fail(error)
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
        events += message.parts.map { .part($0) }
        for event in events { deliver(event, &demand) }
        deliverRest()
    }

    // MARK: - Errors

    private func errorAnswer(_ head: HTTPResponseHead) -> GenerationError {
        body.error(head, of: model, context.parser)
    }

    // MARK: - The end

    /// Releases everything. The attempt object may outlive this until its connection is free.
    private func end() {
        phase = .over
        body.clear()
    }

    private func finish(_ response: ChatResponse, _ head: HTTPResponseHead) {
        end()
        report(response, head)
    }

    private func report(_ response: ChatResponse, _ head: HTTPResponseHead) {
        var response = response
        response.completion.providerRequestID = head.requestID
        response.completion.warnings = warnings + response.completion.warnings
        let state = dialect.bound(response.completion.providerState, to: request, at: model)
        if !response.message.providerState.isEmpty { response.message.providerState = state }
        response.completion.providerState = state
        if response.completion.model.isEmpty { response.completion.model = model.modelName }
        sink?.finish(.success(gate.pass(response)))
    }

    private func fail(_ error: GenerationError) {
        guard !isOver else { return }
        // Deliver everything that was received before reporting the interruption.
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
