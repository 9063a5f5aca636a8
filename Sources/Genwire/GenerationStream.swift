internal import EventLoop
internal import Gateway
public import Generation
internal import Providers

/// The chunks of a response, in order. The iteration ends only if the response is complete; otherwise it throws
/// `GenerationError`. Leaving the `for` loop early or cancelling its task closes the upstream connection.
public struct GenerationStream: AsyncSequence, Sendable {
    /// A chunk of the response.
    public typealias Element = ChunkEvent
    /// The error type of the iteration.
    public typealias Failure = GenerationError

    private let gateway: LocalGateway
    private let request: ChatRequest

    init(_ gateway: LocalGateway, _ request: ChatRequest) {
        self.gateway = gateway
        self.request = request
    }

    /// Sends the request. Each iterator sends its own.
    public func makeAsyncIterator() -> Iterator { Iterator(StreamFeed(gateway, request)) }

    /// Iterates over the chunks. Releasing it cancels the request.
    public struct Iterator: AsyncIteratorProtocol {
        private let feed: StreamFeed

        init(_ feed: StreamFeed) { self.feed = feed }

        /// Usage, timing and finish reason; `nil` until the response is complete.
        public var completion: AnswerTrailer? { feed.completion }

        /// Returns the next chunk, or `nil` after the last one.
        public mutating func next() async throws -> ChunkEvent? { try await feed.take() }

        /// Returns the next chunk, or `nil` after the last one.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(GenerationError) -> ChunkEvent? {
            try await feed.take()
        }
    }
}

/// Passes chunks from the loop to one task. Cancels the request when it is released.
final class StreamFeed: Sendable {
    private let answer: Locked<LoopBound<StreamAnswer>?>
    private let mailbox: Mailbox<ChunkEvent, AnswerTrailer, GenerationError>

    init(_ gateway: LocalGateway, _ request: ChatRequest) {
        let answer = Locked<LoopBound<StreamAnswer>?>(nil)
        self.answer = answer
        mailbox = Mailbox(capacity: 64) {
            if let answer = answer.withLock({ $0 }) { answer.loop.execute { answer.value.resume() } }
        }
        gateway.loop.execute { [weak self] in
            guard let self else { return }
            let streamAnswer = StreamAnswer(self)
            let bound = LoopBound(streamAnswer, on: gateway.loop)
            self.answer.withLock { $0 = bound }
            streamAnswer.start(gateway.answer(.chat(request), .streamChat, into: streamAnswer))
        }
    }

    deinit { cancel() }

    private func cancel() {
        if let answer = answer.withLock({ $0 }) { answer.loop.execute { answer.value.cancel() } }
    }

    var completion: AnswerTrailer? { try? mailbox.end?.get() }

    func push(_ event: ChunkEvent) -> Demand { mailbox.push(event) }

    func finish(_ result: Result<AnswerTrailer, GenerationError>) { mailbox.finish(result) }

    func take() async throws(GenerationError) -> ChunkEvent? {
        try await mailbox.next { [self] in
            finish(.failure(GenerationError(.cancelled, "the task was cancelled")))
            cancel()
        }
    }
}

/// The sink of a feed, confined to the loop. Holds the feed weakly, so that releasing the iterator cancels the request.
private final class StreamAnswer: AnswerSink {
    private weak var feed: StreamFeed?
    private var run: AnswerRun?

    init(_ feed: StreamFeed) { self.feed = feed }

    func start(_ run: AnswerRun) {
        self.run = run
        run.start()
    }

    func cancel() { run?.cancel(.caller) }

    func resume() { run?.resume() }

    func receive(_ event: ChunkEvent) -> Demand { feed?.push(event) ?? .pause }

    func finish(_ result: Result<ChatResponse, GenerationError>) { feed?.finish(result.map(\.completion)) }
}
