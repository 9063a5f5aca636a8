import EventLoop
import Generation
import Providers
import Testing

@testable import Gateway

private let second: UInt64 = 1_000_000_000

/// `Gateway` with the stages after it, against scripted vendors.
@Suite struct GatewayTests {
    private static let text = """
        models:
          a: {provider: openai, config: {model_name: a1, api_key: k}}
          b: {provider: groq, config: {model_name: b1, api_key: k}}
        routes: {both: {strategy: fallback, targets: [a, b]}}
        retry: {max_attempts: 2, initial_backoff: 1, max_backoff: 1}
        """

    private func start(_ stage: Stage, _ job: Job) throws -> AnswerRun {
        let run = try Gateway(makeConfiguration(Self.text)).answer(job, into: stage.sink)
        stage.hold(run)
        run.start()
        return run
    }

    @Test func everyTargetHasItsAttemptsAndTheErrorTheTrail() throws {
        let stage = Stage(upstream: Script { source, _ in source.fail(.overloaded) })
        _ = try start(stage, stage.job("both"))
        for _ in 0..<10 { stage.clock.advanceToLast() }
        #expect(stage.upstream.script.sources.map(\.model) == ["a", "a", "b", "b"])
        let error = try #require(stage.sink.error)
        #expect(error.attempts.map(\.provider) == ["openai", "openai", "groq", "groq"])
        #expect(error.provider == "groq" && error.model == "b" && stage.sink.results.count == 1)
        let record = try #require(stage.keeper.records.first)
        #expect(stage.keeper.records.count == 1 && record.outcome == .failure(.overloaded))
        #expect(record.attemptCount == 4 && record.target?.name == "b" && record.caller == .user(7))
    }

    @Test func anAnswerIsTimedFromItsArrival() throws {
        let stage = Stage()
        let job = stage.job("b", .streamChat)
        stage.clock.advance(second)
        let run = try start(stage, job)
        let attempt = try #require(stage.upstream.script.sources.first)
        stage.clock.advance(second)
        // The attempt is the only stage between vendor and caller.
        #expect(attempt.sink?.receive(.text("x")) == .more)
        stage.clock.advance(second)
        attempt.connectMicroseconds = 11
        attempt.authMicroseconds = 12
        attempt.succeed()
        let completion = try #require(stage.sink.response?.completion)
        #expect(
            completion.timing.firstTokenMicroseconds == 2_000_000 && completion.timing.totalMicroseconds == 3_000_000)
        #expect(completion.timing.gatewayMicroseconds == 1_000_000 && completion.attempts.count == 1)
        #expect(completion.timing.connectMicroseconds == 11 && completion.timing.authMicroseconds == 12)
        let record = try #require(stage.keeper.records.first)
        #expect(record.outcome == .success && record.requestedModel == "b" && record.answerBytes == 1)
        #expect(record.endedAt - record.startedAt == .seconds(3))
        // An end is an end.
        run.cancel(.caller)
        #expect(stage.keeper.records.count == 1 && attempt.causes.isEmpty)
    }

    @Test func expiryTellsWhatWasTried() throws {
        let stage = Stage()
        let run = try start(stage, stage.job("a", deadline: 60 * second))
        stage.upstream.script.sources[0].fail(.overloaded)
        stage.clock.advanceToLast()
        stage.clock.advance(60 * second)
        let error = run.expire()
        #expect(stage.upstream.script.sources[1].causes == [.deadline])
        #expect(error.kind == .timeout && error.timeoutPhase == .total && error.model == "a")
        #expect(error.attempts.count == 2 && error.provider == "openai")
        #expect(error.message.contains("the last attempt failed: scripted"))
        #expect(stage.sink.results.isEmpty)
        #expect(stage.keeper.records.map(\.outcome) == [.cancelled(.deadline)])
    }

    @Test func cancelEndsABackoffAndIsRecorded() throws {
        let stage = Stage()
        let run = try start(stage, stage.job("both"))
        stage.upstream.script.sources[0].fail(.overloaded)
        #expect(stage.clock.pending.count == 1)
        run.cancel(.callerGone)
        run.cancel(.caller)
        stage.clock.advance(100 * second)
        #expect(stage.clock.pending.isEmpty && stage.upstream.script.sources.count == 1)
        #expect(stage.sink.results.isEmpty)
        #expect(stage.keeper.records.map(\.outcome) == [.cancelled(.callerGone)])
    }

    @Test func aRequestWithoutMessagesReachesNobody() throws {
        let stage = Stage()
        _ = try start(stage, Job(.chat(ChatRequest(messages: [])), .chat, caller: .process, loop: stage.loop))
        #expect(stage.sink.error?.kind == .invalidRequest && stage.upstream.script.sources.isEmpty)
        #expect(stage.keeper.records.map(\.outcome) == [.failure(.invalidRequest)])
        #expect(stage.keeper.records[0].attempts.isEmpty && stage.keeper.records[0].target == nil)
    }

    @Test func callsHaveNumbers() {
        let stage = Stage()
        #expect([stage.job(), stage.job()].map { "\($0.record.id)" } == ["1.1", "1.2"])
    }

    @Test func theLedgerCountsAttempts() throws {
        let stage = Stage(upstream: Script { source, _ in source.fail(.overloaded) })
        _ = try start(stage, stage.job("both"))
        for _ in 0..<10 { stage.clock.advanceToLast() }
        let ledger = UsageLedger()
        LedgerPage(ledger).ended(try #require(stage.keeper.records.first))
        #expect(ledger.snapshot().map(\.key.model) == ["b", "a"])
        #expect(ledger.snapshot().allSatisfy { $0.row.requests == 2 && $0.row.failedRequests == 2 })
    }

    @Test func callersHaveNames() {
        let names: [Caller: String] = [
            .user(1000): "uid:1000", .token("ci"): "token:ci", .network: "tcp", .process: "process",
        ]
        for (caller, name) in names { #expect("\(caller)" == name) }
    }
}
