import Config
import EventLoop
import Generation
import Testing

@testable import Gateway
@testable import Providers

private let second: UInt64 = 1_000_000_000

/// One attempt at one model, against a scripted vendor.
@Suite struct AttemptStageTests {
    private let stage = Stage()

    private func start(_ operation: CallRecord.Operation) throws -> (Job, any AnswerSource, ScriptedSource) {
        let model = try makeCatalog("generation: {provider: openai, config: {model_name: m, api_key: k}}").models[0]
        let job = stage.job("", operation)
        let source = AttemptStage(model: model).answer(job, into: stage.sink)
        stage.hold(source)
        source.start()
        return (job, source, try #require(stage.upstream.script.sources.last))
    }

    @Test func anAnswerIsRecordedAndTimed() throws {
        let (job, _, attempt) = try start(.chat)
        attempt.httpStatus = 200
        attempt.connectMicroseconds = 11
        attempt.authMicroseconds = 12
        attempt.repeatedSendings = [
            RepeatedSending(httpStatus: 401, error: GenerationError(.authentication, "old token"), microseconds: 2)
        ]
        stage.clock.advance(5 * second)
        var usage = Usage()
        usage.outputTokens = 3
        usage.source = .provider
        attempt.succeed("hello", usage: usage)
        let record = job.record
        #expect(record.connectMicroseconds == 11 && record.authMicroseconds == 12)
        #expect(record.attempts.map(\.isRepeated) == [true, false] && record.attemptCount == 1)
        #expect(record.attempts.map(\.httpStatus) == [401, 200])
        #expect(record.attempts.map(\.kind) == [.authentication, nil])
        #expect(record.attempts[1].duration == .seconds(5) && record.upstreamTime == .seconds(5))
        #expect(record.attempts[1].usage == usage && record.answerBytes == 5 && record.firstContentAt == nil)
        #expect(record.trail.map(\.model) == ["default", "default"] && record.trail[1].error.isEmpty)
    }

    @Test func whatAFailedAttemptUsedIsRecorded() throws {
        let (job, _, attempt) = try start(.chat)
        attempt.partialUsage.inputTokens = 9
        attempt.partialUsage.source = .provider
        attempt.fail(.providerUnavailable)
        #expect(job.record.attempts.map(\.usage) == [attempt.partialUsage])
    }

    @Test func piecesPassAndCutStreamsAreEstimated() throws {
        let (job, source, attempt) = try start(.streamChat)
        let began = stage.clock.instant
        stage.clock.advance(second)
        #expect(attempt.sink?.receive(.text("12345678")) == .more)
        stage.sink.demand = .pause
        stage.clock.advance(second)
        #expect(attempt.sink?.receive(.reasoning("1234")) == .pause)
        #expect(stage.sink.events == [.text("12345678"), .reasoning("1234")])
        source.resume()
        #expect(attempt.resumes == 1 && source.bodyBytes == 7)
        attempt.fail(.streamInterrupted)
        #expect(stage.sink.error?.kind == .streamInterrupted && stage.sink.results.count == 1)
        #expect(job.record.firstContentAt == began + .nanoseconds(second) && job.record.answerBytes == 12)
        let usage = job.record.attempts[0].usage
        #expect(usage.source == .estimated && usage.inputTokens == 2 && usage.outputTokens == 3)
        #expect(source.bodyBytes == 0)
    }

    @Test(arguments: CancelCause.allCases)
    func aCancelledAttemptIsRecordedAndSilent(_ cause: CancelCause) throws {
        let (job, source, attempt) = try start(.streamChat)
        source.cancel(cause)
        source.cancel(cause)
        #expect(attempt.causes == [cause])
        #expect(job.record.attempts.map(\.kind) == [cause == .deadline ? .timeout : .cancelled])
        // Whatever a cancelled source still does is ignored.
        attempt.fail(.network)
        #expect(stage.sink.results.isEmpty && job.record.attempts.count == 1)
    }

    @Test func longErrorsAreCutInTheTrail() throws {
        let (job, _, attempt) = try start(.chat)
        attempt.fail(GenerationError(.network, String(repeating: "x", count: 5000)))
        #expect(job.record.attempts[0].error.utf8.count <= CallRecord.maximumTrailText + 3)
    }
}

/// Retries of one model, over scripted attempts.
@Suite struct RetryStageTests {
    private let stage = Stage()

    private func start(_ inner: Script, _ job: Job, attempts: Int = 3) -> any AnswerSource {
        var policy = RetryPolicy()
        policy.rules.maxAttempts = attempts
        let source = RetryStage(policy: policy, inner: inner).answer(job, into: stage.sink)
        stage.hold(source)
        source.start()
        return source
    }

    /// An error with a retry delay.
    private func busy(_ seconds: Int64) -> GenerationError {
        var error = GenerationError(.rateLimit, "busy")
        error.retryAfterMilliseconds = seconds * 1000
        return error
    }

    @Test func anAnswerPasses() {
        let inner = Script { source, _ in source.succeed("hi") }
        _ = start(inner, stage.job())
        #expect(inner.sources.count == 1 && stage.clock.pending.isEmpty)
        #expect(stage.sink.response?.message.content == "hi" && stage.sink.results.count == 1)
    }

    @Test func aFailureIsRepeatedAfterItsBackoff() throws {
        let inner = Script()
        let source = start(inner, stage.job())
        inner.sources[0].fail(busy(2))
        let wait = try #require(stage.clock.pending.first)
        #expect(wait >= 2 * second && wait <= 2 * second + second / 2)
        #expect(source.bodyBytes == 0 && inner.sources.count == 1)
        stage.clock.advance(2 * second - 1)
        #expect(inner.sources.count == 1)
        stage.clock.advanceToLast()
        #expect(inner.sources.count == 2 && source.bodyBytes == 7)
        inner.sources[1].succeed("second")
        #expect(stage.sink.response?.message.content == "second" && stage.sink.results.count == 1)
        // Results of earlier sources are ignored.
        inner.sources[1].fail(.network)
        #expect(stage.sink.results.count == 1)
    }

    @Test func attemptsRunOut() {
        let inner = Script { source, _ in source.fail(.overloaded) }
        _ = start(inner, stage.job())
        for _ in 0..<10 { stage.clock.advanceToLast() }
        #expect(inner.sources.count == 3 && stage.sink.error?.kind == .overloaded && stage.sink.results.count == 1)
    }

    @Test(arguments: [GenerationError.Kind.invalidRequest, .authentication, .contentFiltered, .cancelled])
    func whatCannotGetBetterEndsTheCall(_ kind: GenerationError.Kind) {
        let inner = Script { source, _ in source.fail(kind) }
        _ = start(inner, stage.job())
        #expect(stage.clock.pending.isEmpty && stage.sink.error?.kind == kind)
    }

    @Test func nothingIsRepeatedAfterContent() {
        let inner = Script { source, job in
            job?.record.firstContentAt = Instant(nanoseconds: 1)
            source.fail(.streamInterrupted)
        }
        _ = start(inner, stage.job("", .streamChat))
        #expect(stage.clock.pending.isEmpty && stage.sink.error?.kind == .streamInterrupted)
    }

    @Test(arguments: [(5, false), (10, false), (20, true)])
    func noBackoffGoesBeyondTheDeadline(_ seconds: UInt64, _ fits: Bool) {
        let inner = Script()
        _ = start(inner, stage.job(deadline: seconds * second))
        inner.sources[0].fail(busy(10))
        #expect(stage.clock.pending.isEmpty == !fits && (stage.sink.error == nil) == fits)
    }

    @Test func theCallsAttemptsAreBounded() throws {
        let model = try makeCatalog("generation: {provider: openai, config: {model_name: m, api_key: k}}").models[0]
        let inner = Script { source, job in
            job?.record.add(nil, at: model, httpStatus: 503, duration: .nanoseconds(1))
            source.fail(.overloaded)
        }
        _ = start(inner, stage.job(), attempts: 1000)
        for _ in 0..<200 { stage.clock.advanceToLast() }
        #expect(inner.sources.count == Job.maximumAttempts && stage.sink.results.count == 1)
    }

    @Test func cancelReachesTheAttempt() {
        let inner = Script()
        let source = start(inner, stage.job())
        source.cancel(.callerGone)
        source.cancel(.caller)
        #expect(inner.sources[0].causes == [.callerGone])
        inner.sources[0].fail(.network)
        #expect(stage.sink.results.isEmpty && stage.clock.pending.isEmpty)
    }

    @Test func cancelEndsTheBackoff() {
        let inner = Script { source, _ in source.fail(.overloaded) }
        let source = start(inner, stage.job())
        #expect(stage.clock.pending.count == 1)
        source.cancel(.caller)
        #expect(stage.clock.pending.isEmpty)
        stage.clock.advance(100 * second)
        #expect(inner.sources.count == 1 && stage.sink.results.isEmpty)
    }

    @Test func piecesBypassItAndResumePasses() {
        let inner = Script()
        let source = start(inner, stage.job("", .streamChat))
        #expect(inner.sources[0].sink?.pieceSink === stage.sink)
        source.resume()
        #expect(inner.sources[0].resumes == 1)
        inner.sources[0].fail(.overloaded)
        source.resume()
        #expect(inner.sources[0].resumes == 1)
    }
}

/// Targets in order, over scripted models.
@Suite struct RouteStageTests {
    private static let models = """
        models:
          a: {provider: openai, config: {model_name: a1, api_key: k}}
          b: {provider: groq, config: {model_name: b1, api_key: k}}
          c: {provider: openai, config: {model_name: c1, api_key: k}}
        routes: {all: {strategy: fallback, targets: [a, b, c]}}
        """

    private let stage = Stage()

    private func start(_ inner: Script, _ job: Job) throws -> any AnswerSource {
        let catalog = try makeCatalog(Self.models) { _ in inner }
        let source = RouteStage(catalog: catalog).answer(job, into: stage.sink)
        stage.hold(source)
        source.start()
        return source
    }

    @Test func targetsAreTriedInOrder() throws {
        let inner = Script { source, _ in if source.model != "c" { source.fail(.providerUnavailable) } }
        let job = stage.job("b", fallbacks: ["a", "all"])
        _ = try start(inner, job)
        // The route adds b and a again.
        #expect(inner.sources.map(\.model) == ["b", "a", "a", "b", "c"] && job.record.target?.name == "c")
        inner.sources[4].succeed("third")
        #expect(stage.sink.response?.message.content == "third" && stage.sink.results.count == 1)
    }

    @Test(arguments: GenerationError.Kind.allCases)
    func someErrorsAreTheSameEverywhere(_ kind: GenerationError.Kind) throws {
        let inner = Script { source, _ in source.fail(kind) }
        _ = try start(inner, stage.job("all"))
        let isFinal = [.invalidRequest, .cancelled, .shuttingDown].contains(kind)
        #expect(inner.sources.count == (isFinal ? 1 : 3))
        #expect(stage.sink.error?.kind == kind && stage.sink.results.count == 1)
    }

    @Test func unknownNamesReachNobody() throws {
        let inner = Script()
        let job = stage.job("nobody")
        _ = try start(inner, job)
        #expect(inner.sources.isEmpty && job.record.target == nil && stage.sink.error?.kind == .unknownModel)
    }

    @Test func noOtherTargetAfterContent() throws {
        let inner = Script { source, job in
            job?.record.firstContentAt = Instant(nanoseconds: 1)
            source.fail(.streamInterrupted)
        }
        _ = try start(inner, stage.job("all", .streamChat))
        #expect(inner.sources.count == 1 && stage.sink.results.count == 1)
    }

    /// The maximum number of targets in a call, each failing at once.
    @Test func failingTargetsDoNotNest() throws {
        let inner = Script { source, _ in source.fail(.network) }
        _ = try start(inner, stage.job("all", fallbacks: Array(repeating: "all", count: 16)))
        #expect(inner.sources.count == 51 && inner.greatestDepth == 1 && stage.sink.results.count == 1)
    }

    @Test func theCallsAttemptsAreBounded() throws {
        let model = try makeCatalog(Self.models).models[0]
        let inner = Script { source, job in
            for _ in 0..<30 { job?.record.add(nil, at: model, httpStatus: 503, duration: .nanoseconds(1)) }
            source.fail(.overloaded)
        }
        _ = try start(inner, stage.job("all", fallbacks: ["all"]))
        #expect(inner.sources.count == 3 && stage.sink.results.count == 1)
    }

    @Test func cancelReachesTheTargetAndEndsTheRoute() throws {
        let inner = Script()
        let source = try start(inner, stage.job("all"))
        source.resume()
        #expect(inner.sources[0].resumes == 1 && source.bodyBytes == 7)
        source.cancel(.caller)
        #expect(inner.sources[0].causes == [.caller] && source.bodyBytes == 0)
        inner.sources[0].fail(.network)
        #expect(inner.sources.count == 1 && stage.sink.results.isEmpty)
    }

    @Test func piecesBypassIt() throws {
        let inner = Script()
        _ = try start(inner, stage.job("all", .streamChat))
        #expect(inner.sources[0].sink?.pieceSink === stage.sink)
    }
}
