internal import EventLoop
internal import Gateway
public import Generation
internal import Providers

/// The pieces of an in-process answer, in order. The iteration ends only when the answer is complete; it throws
/// `GenerationError` otherwise. Leaving the loop early, or cancelling its task, closes the upstream connection.
public struct GenerationStream: AsyncSequence, Sendable {
    /// A piece.
    public typealias Element = ChunkEvent
    /// What the iteration throws.
    public typealias Failure = GenerationError

    private let gateway: LocalGateway
    private let request: ChatRequest

    init(_ gateway: LocalGateway, _ request: ChatRequest) {
        self.gateway = gateway
        self.request = request
    }

    /// Starts a request; each iterator makes its own.
    public func makeAsyncIterator() -> Iterator { Iterator(StreamFeed(gateway, request)) }

    /// Walks the pieces.
    public struct Iterator: AsyncIteratorProtocol {
        private let feed: StreamFeed

        init(_ feed: StreamFeed) { self.feed = feed }

        /// How the answer ended; `nil` before the end.
        public var completion: Completion? { feed.completion }

        /// The next piece.
        public mutating func next() async throws -> ChunkEvent? { try await feed.take() }

        /// The next piece.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(GenerationError) -> ChunkEvent? {
            try await feed.take()
        }
    }
}

/// Carries pieces from the loop to one task. Ends the answer when nobody holds it any more.
final class StreamFeed: Sendable {
    private let answer: Locked<LoopBound<StreamAnswer>?>
    private let mailbox: Mailbox<ChunkEvent, Completion, GenerationError>

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
            streamAnswer.start(gateway.answer(request, .streamChat, into: streamAnswer))
        }
    }

    deinit { cancel() }

    private func cancel() {
        if let answer = answer.withLock({ $0 }) { answer.loop.execute { answer.value.cancel() } }
    }

    var completion: Completion? { try? mailbox.end?.get() }

    func push(_ event: ChunkEvent) -> Demand { mailbox.push(event) }

    func finish(_ result: Result<Completion, GenerationError>) { mailbox.finish(result) }

    func take() async throws(GenerationError) -> ChunkEvent? {
        try await mailbox.next { [self] in
            finish(.failure(GenerationError(.cancelled, "the task was cancelled")))
            cancel()
        }
    }
}

/// The loop's side of a feed. Holds the feed weakly, so that a forgotten iterator ends the answer.
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
