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
    private struct State {
        var pieces: [ChunkEvent] = []
        var end: Result<Completion, GenerationError>?
        var waiter: CheckedContinuation<Void, Never>?
        var isPaused = false
        var answer: LoopBound<StreamAnswer>?
    }

    private static let capacity = 64
    private let state = Locked(State())

    init(_ gateway: LocalGateway, _ request: ChatRequest) {
        gateway.loop.execute { [weak self] in
            guard let self else { return }
            let answer = StreamAnswer(self)
            let bound = LoopBound(answer, on: gateway.loop)
            state.withLock { $0.answer = bound }
            answer.start(gateway.answer(request, .streamChat, into: answer))
        }
    }

    deinit {
        if let answer = state.withLock({ $0.answer }) { answer.loop.execute { answer.value.cancel() } }
    }

    var completion: Completion? { state.withLock { try? $0.end?.get() } }

    func push(_ event: ChunkEvent) -> Demand {
        let (waiter, demand) = state.withLock { state -> (CheckedContinuation<Void, Never>?, Demand) in
            state.pieces.append(event)
            if state.pieces.count >= Self.capacity { state.isPaused = true }
            defer { state.waiter = nil }
            return (state.waiter, state.isPaused ? .pause : .more)
        }
        waiter?.resume()
        return demand
    }

    func finish(_ result: Result<Completion, GenerationError>) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if state.end == nil { state.end = result }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    func take() async throws(GenerationError) -> ChunkEvent? {
        while true {
            let (piece, end, paused) = state.withLock {
                state -> (ChunkEvent?, Result<Completion, GenerationError>?, LoopBound<StreamAnswer>?) in
                guard !state.pieces.isEmpty else { return (nil, state.end, nil) }
                let piece = state.pieces.removeFirst()
                guard state.pieces.isEmpty, state.isPaused else { return (piece, nil, nil) }
                state.isPaused = false
                return (piece, nil, state.answer)
            }
            if let paused { paused.loop.execute { paused.value.resume() } }
            if let piece { return piece }
            if let end {
                _ = try end.get()
                return nil
            }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isReady = state.withLock { state -> Bool in
                        if !state.pieces.isEmpty || state.end != nil { return true }
                        state.waiter = continuation
                        return false
                    }
                    if isReady { continuation.resume() }
                }
            } onCancel: {
                finish(.failure(GenerationError(.cancelled, "the task was cancelled")))
                if let answer = state.withLock({ $0.answer }) { answer.loop.execute { answer.value.cancel() } }
            }
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
