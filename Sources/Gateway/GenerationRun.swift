internal import Config
public import EventLoop
public import Generation
public import Providers

/// Hears a run's answer. Called on the run's loop.
public protocol RunSink: AnyObject {
    /// A piece of a streamed answer. With `.pause` the upstream is held until `GenerationRun.resume`.
    func run(_ run: GenerationRun, didDeliver event: ChunkEvent) -> Demand
    /// The end: the whole answer of a unary run, or what closes a stream. Called exactly once, unless cancelled.
    func run(_ run: GenerationRun, didFinish result: Result<ChatResponse, GenerationError>)
}

/// One request on its way through retries and fallbacks to an answer. Belongs to one loop.
///
/// The targets are tried in order, each as often as its retry policy allows; what has once delivered content is
/// never tried again, since the caller has already seen it.
public final class GenerationRun: AttemptSink {
    /// The most attempts of one call, over all its targets: a call must not multiply without bound.
    static let maximumAttempts = 64
    /// The most bytes of an error's text in the trail of attempts, so that the trail always fits into a frame.
    static let maximumTrailText = 512

    private enum State {
        /// The next attempt is due.
        case ready
        case attempting(ProviderAttempt, since: UInt64)
        case backingOff
        case over
    }

    private let request: ChatRequest
    private let isStream: Bool
    private let targets: [ConfiguredModel]
    private let context: ProviderContext
    private let ledger: UsageLedger
    private weak var sink: (any RunSink)?
    private let startedAt: UInt64
    /// When the caller wants the end at the latest; no backoff goes beyond it.
    private let deadline: UInt64?

    private var state = State.ready
    /// An attempt that fails while it starts is followed up by the loop that started it, not by a deeper call.
    private var isProceeding = false
    private var targetIndex = 0
    private var attemptsAtTarget = 0
    private var attempts: [Attempt] = []
    private var firstContentAt: UInt64?
    /// Bytes of text handed on, for the estimate of what an answer cost that never came to its end.
    private var deliveredBytes = 0
    private var upstreamNanoseconds: UInt64 = 0
    private var lastError: GenerationError?
    private var backoffTimer: LoopTimer?

    /// A run that `start` sets going.
    /// - Parameters:
    ///   - startedAt: when the request arrived, CLOCK_MONOTONIC in nanoseconds.
    ///   - deadline: when the caller gives up, on the same clock.
    public init(
        request: ChatRequest, isStream: Bool, targets: [ConfiguredModel], context: ProviderContext,
        ledger: UsageLedger, startedAt: UInt64, deadline: UInt64?, sink: any RunSink
    ) {
        precondition(!targets.isEmpty, "a run needs a target")
        self.request = request
        self.isStream = isStream
        self.targets = targets
        self.context = context
        self.ledger = ledger
        self.startedAt = startedAt
        self.deadline = deadline
        self.sink = sink
    }

    /// Begins the first attempt. The sink may hear the end before this returns.
    public func start() { proceed() }

    /// Stops at once, whatever the run is doing; the upstream connection is closed. The sink hears nothing more.
    /// - Parameter cause: what the attempt in progress is recorded with.
    public func cancel(_ cause: GenerationError = GenerationError(.cancelled, "cancelled by the caller")) {
        switch state {
        case .attempting(let attempt, _):
            attempt.cancel()
            record(cause, attempt)
        case .ready, .backingOff, .over: break
        }
        if let backoffTimer { context.loop.cancel(backoffTimer) }
        backoffTimer = nil
        state = .over
    }

    /// Lets a paused upstream go on.
    public func resume() {
        if case .attempting(let attempt, _) = state { attempt.resume() }
    }

    /// The size of the vendor's request while it is being sent, in bytes.
    public var bodyBytes: Int {
        if case .attempting(let attempt, _) = state { attempt.bodyBytes } else { 0 }
    }

    // MARK: - Attempts

    private var target: ConfiguredModel { targets[targetIndex] }

    /// Starts attempts until one is in progress, a backoff has begun or nothing is left to try.
    private func proceed() {
        guard !isProceeding else { return }
        isProceeding = true
        while case .ready = state { attempt() }
        isProceeding = false
    }

    private func attempt() {
        attemptsAtTarget += 1
        let attempt = ProviderAttempt(
            model: target, request: request, isStream: isStream, context: context, sink: self)
        state = .attempting(attempt, since: EventLoop.monotonicNanoseconds())
        do {
            try attempt.start()
        } catch {
            self.attempt(attempt, didFinish: .failure(error))
        }
    }

    /// Part of `AttemptSink`.
    public func attempt(_ attempt: ProviderAttempt, didDeliver event: ChunkEvent) -> Demand {
        if firstContentAt == nil { firstContentAt = EventLoop.monotonicNanoseconds() }
        switch event {
        case .text(let text), .reasoning(let text): deliveredBytes += text.utf8.count
        case .toolCall(let delta): deliveredBytes += delta.argumentsJSONDelta.utf8.count
        }
        return sink?.run(self, didDeliver: event) ?? .pause
    }

    /// Part of `AttemptSink`.
    public func attempt(_ attempt: ProviderAttempt, didFinish result: Result<ChatResponse, GenerationError>) {
        guard case .attempting(let current, _) = state, current === attempt else { return }
        switch result {
        case .success(var response):
            record(nil, attempt, usage: response.completion.usage)
            complete(&response.completion, attempt)
            finish(.success(response))
        case .failure(let error):
            record(error, attempt)
            failed(error)
            proceed()
        }
    }

    private func failed(_ error: GenerationError) {
        lastError = error
        // The caller has seen a part of this answer: another attempt would give it a second beginning.
        guard firstContentAt == nil, attempts.count < Self.maximumAttempts else { return finishFailed(error) }
        let delay = RetryPolicy(target.configuration.retry).delay(
            after: error, attempt: attemptsAtTarget, jitter: .random(in: 0...1))
        if let delay, fits(delay) {
            state = .backingOff
            let timer = LoopTimer { [unowned self] in
                state = .ready
                proceed()
            }
            backoffTimer = timer
            context.loop.schedule(timer, afterNanoseconds: delay)
        } else if targetIndex + 1 < targets.count, error.kind.mayFallBack {
            targetIndex += 1
            attemptsAtTarget = 0
            state = .ready
        } else {
            finishFailed(error)
        }
    }

    private func fits(_ delay: UInt64) -> Bool {
        guard let deadline else { return true }
        return EventLoop.monotonicNanoseconds() + delay < deadline
    }

    // MARK: - Records

    private func record(_ error: GenerationError?, _ attempt: ProviderAttempt, usage: Usage = Usage()) {
        guard case .attempting(_, let since) = state else { return }
        let elapsed = EventLoop.monotonicNanoseconds() - since
        upstreamNanoseconds += elapsed
        // What was sent twice within the attempt is in the trail twice.
        for sending in attempt.repeatedSendings {
            addToTrail(sending.error, status: sending.httpStatus, microseconds: sending.microseconds)
        }
        addToTrail(error, status: attempt.httpStatus, microseconds: Int64(elapsed / 1000))
        let outcome: UsageLedger.Outcome =
            switch error?.kind {
            case nil: .succeeded
            case .cancelled: .cancelled
            default: .failed
            }
        ledger.record(
            target, usage: usage.source == .absent && deliveredBytes > 0 ? estimatedUsage : usage, outcome,
            nanoseconds: elapsed)
    }

    private func addToTrail(_ error: GenerationError?, status: Int, microseconds: Int64) {
        attempts.append(
            Attempt(
                model: target.name, provider: target.providerName, status: status,
                error: error?.description.truncated(toBytes: Self.maximumTrailText) ?? "",
                durationMicroseconds: microseconds))
    }

    /// What a stream cost that was cut or cancelled, or whose provider reported nothing: it was paid for all the same.
    private var estimatedUsage: Usage {
        var usage = Usage()
        usage.inputTokens = estimateTokens(of: request)
        usage.outputTokens = max(1, deliveredBytes / 4)
        usage.totalTokens = usage.inputTokens + usage.outputTokens
        usage.source = .estimated
        return usage
    }

    private func complete(_ completion: inout Completion, _ attempt: ProviderAttempt) {
        let now = EventLoop.monotonicNanoseconds()
        completion.attempts = attempts
        completion.timing.connectMicroseconds = attempt.connectMicroseconds
        completion.timing.authMicroseconds = attempt.authMicroseconds
        completion.timing.firstTokenMicroseconds = Int64(((firstContentAt ?? now) - startedAt) / 1000)
        completion.timing.totalMicroseconds = Int64((now - startedAt) / 1000)
        completion.timing.gatewayMicroseconds = Int64(
            (now - startedAt - min(upstreamNanoseconds, now - startedAt)) / 1000)
    }

    private func finishFailed(_ error: GenerationError) {
        var error = error
        error.attempts = attempts
        if error.provider.isEmpty { error.provider = target.providerName }
        if error.model.isEmpty { error.model = target.name }
        finish(.failure(error))
    }

    private func finish(_ result: Result<ChatResponse, GenerationError>) {
        state = .over
        sink?.run(self, didFinish: result)
    }

    /// Stops the run because the call's deadline passed.
    /// - Returns: the failure to report; it holds the trail of the attempts.
    public func expire() -> GenerationError {
        var error = GenerationError(.timeout, "the call's deadline passed")
        error.timeoutPhase = .total
        cancel(error)
        if let lastError { error.message += " (the last attempt failed: \(lastError.message))" }
        error.attempts = attempts
        error.provider = target.providerName
        error.model = target.name
        return error
    }
}

extension GenerationError.Kind {
    /// Whether another model may do better. A wrong request is wrong everywhere, and a cancel is a cancel.
    var mayFallBack: Bool {
        switch self {
        case .invalidRequest, .cancelled, .shuttingDown: false
        default: true
        }
    }
}
