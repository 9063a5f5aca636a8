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

    private let model: ConfiguredModel
    private let request: ChatRequest

    init(model: ConfiguredModel, request: ChatRequest) {
        self.model = model
        self.request = request
    }

    /// Starts a request; each iterator makes its own.
    public func makeAsyncIterator() -> Iterator { Iterator(StreamFeed(model, request)) }

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

/// Carries pieces from the loop to one task. Ends the run when nobody holds it any more.
final class StreamFeed: Sendable {
    private struct State {
        var pieces: [ChunkEvent] = []
        var end: Result<Completion, GenerationError>?
        var waiter: CheckedContinuation<Void, Never>?
        var isPaused = false
        var run: LoopBound<StreamRun>?
    }

    private static let capacity = 64
    private let state = Locked(State())
    private let engine: LocalEngine?

    init(_ model: ConfiguredModel, _ request: ChatRequest) {
        do throws(GenerationError) {
            let engine = try LocalEngine.shared()
            self.engine = engine
            engine.loop.execute { [weak self] in
                guard let self else { return }
                let run = StreamRun(self)
                let bound = LoopBound(run, on: engine.loop)
                state.withLock { $0.run = bound }
                run.start(request, model, engine)
            }
        } catch {
            engine = nil
            let failure = error
            state.withLock { $0.end = .failure(failure) }
        }
    }

    deinit {
        if let run = state.withLock({ $0.run }) { run.loop.execute { run.value.cancel() } }
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
                state -> (ChunkEvent?, Result<Completion, GenerationError>?, LoopBound<StreamRun>?) in
                guard !state.pieces.isEmpty else { return (nil, state.end, nil) }
                let piece = state.pieces.removeFirst()
                guard state.pieces.isEmpty, state.isPaused else { return (piece, nil, nil) }
                state.isPaused = false
                return (piece, nil, state.run)
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
                if let run = state.withLock({ $0.run }) { run.loop.execute { run.value.cancel() } }
            }
        }
    }
}

/// The loop's side of a feed. Holds the feed weakly, so that a forgotten iterator ends the run.
final class StreamRun: RunSink {
    private weak var feed: StreamFeed?
    private var run: GenerationRun?

    init(_ feed: StreamFeed) { self.feed = feed }

    func start(_ request: ChatRequest, _ model: ConfiguredModel, _ engine: LocalEngine) {
        let run = GenerationRun(
            request: request, isStream: true, targets: [model], context: engine.context.value, ledger: engine.ledger,
            startedAt: EventLoop.monotonicNanoseconds(), deadline: nil, sink: self)
        self.run = run
        run.start()
    }

    func cancel() { run?.cancel() }

    func resume() { run?.resume() }

    func run(_ run: GenerationRun, didDeliver event: ChunkEvent) -> Demand { feed?.push(event) ?? .pause }

    func run(_ run: GenerationRun, didFinish result: Result<ChatResponse, GenerationError>) {
        feed?.finish(result.map(\.completion))
    }
}
