import Config
import EventLoop
import Generation
import Providers

@testable import EventLoop
@testable import Gateway

func makeConfiguration(_ text: String) throws -> Configuration {
    try Configuration.parse(Array(text.utf8), file: "f", environment: [:], knownProviders: ProviderRegistry.keys)
}

/// A catalog whose models have the production stages, or scripted ones.
func makeCatalog(
    _ text: String, stack: @escaping @Sendable (ConfiguredModel) -> any Answerer = Plan().stack
) throws -> Catalog {
    try Catalog(try makeConfiguration(text), stack: stack)
}

/// A clock that stands still until a test advances it.
final class ManualClock: Scheduler {
    private(set) var instant = Instant(nanoseconds: 1_000_000_000)
    private var timers: [(due: Instant, timer: LoopTimer)] = []

    /// How long each scheduled timer has to wait.
    var pending: [UInt64] { timers.map { ($0.due - instant).nanoseconds } }

    func schedule(_ timer: LoopTimer, after delay: TimeAmount) { timers.append((instant + delay, timer)) }

    func cancel(_ timer: LoopTimer) { timers.removeAll { $0.timer === timer } }

    func advance(_ nanoseconds: UInt64) {
        instant = instant + .nanoseconds(nanoseconds)
        let due = timers.filter { $0.due <= instant }
        timers.removeAll { $0.due <= instant }
        for entry in due { entry.timer.handler() }
    }

    /// Advances to the timer that is due last.
    func advanceToLast() { advance(pending.max() ?? 0) }
}

/// Records what a caller receives.
final class Collector: AnswerSink {
    var demand = Demand.more
    private(set) var events: [ChunkEvent] = []
    private(set) var results: [Result<ChatResponse, GenerationError>] = []

    var error: GenerationError? {
        if case .failure(let error) = results.last { error } else { nil }
    }
    var response: ChatResponse? { try? results.last?.get() }

    func receive(_ event: ChunkEvent) -> Demand {
        events.append(event)
        return demand
    }

    func finish(_ result: Result<ChatResponse, GenerationError>) { results.append(result) }
}

/// A source controlled by its test. It also stands in for a vendor's attempt.
final class ScriptedSource: UpstreamAttempt {
    let model: String
    private(set) weak var sink: (any AnswerSink)?
    private let onStart: (ScriptedSource) -> Void
    private(set) var isStarted = false
    private(set) var resumes = 0
    private(set) var causes: [CancelCause] = []
    var bodyBytes = 7
    var httpStatus = 0
    var connectMicroseconds: Int64 = 0
    var authMicroseconds: Int64 = 0
    var repeatedSendings: [RepeatedSending] = []
    var partialUsage = Usage()

    init(_ model: String, _ sink: any AnswerSink, _ onStart: @escaping (ScriptedSource) -> Void) {
        self.model = model
        self.sink = sink
        self.onStart = onStart
    }

    func start() {
        isStarted = true
        onStart(self)
    }

    func resume() { resumes += 1 }

    func cancel(_ cause: CancelCause) { causes.append(cause) }

    func succeed(_ text: String = "", usage: Usage = Usage()) {
        var completion = AnswerTrailer()
        completion.usage = usage
        sink?.finish(.success(ChatResponse(message: Message(role: .assistant, content: text), completion: completion)))
    }

    func fail(_ error: GenerationError) { sink?.finish(.failure(error)) }

    func fail(_ kind: GenerationError.Kind) { fail(GenerationError(kind, "scripted")) }
}

/// The stages below the one under test, or the vendors: creates scripted sources and retains them for the test.
final class Script: Answerer {
    private struct State {
        var sources: [ScriptedSource] = []
        var depth = 0
        var greatestDepth = 0
    }

    private let state = Locked(State())
    private let onStart: @Sendable (ScriptedSource, Job?) -> Void

    /// - Parameter onStart: called when a source starts; by default nothing happens, and the test continues with it.
    init(_ onStart: @escaping @Sendable (ScriptedSource, Job?) -> Void = { _, _ in }) { self.onStart = onStart }

    var sources: [ScriptedSource] { state.withLock { $0.sources } }
    /// The largest number of its sources that were starting at the same time.
    var greatestDepth: Int { state.withLock { $0.greatestDepth } }

    func answer(_ job: Job, into sink: any AnswerSink) -> any AnswerSource {
        make(job.record.target?.name ?? "", sink, job)
    }

    fileprivate func make(_ model: String, _ sink: any AnswerSink, _ job: Job?) -> ScriptedSource {
        let source = ScriptedSource(model, sink) { [self] source in
            state.withLock {
                $0.depth += 1
                $0.greatestDepth = max($0.depth, $0.greatestDepth)
            }
            onStart(source, job)
            state.withLock { $0.depth -= 1 }
        }
        state.withLock { $0.sources.append(source) }
        return source
    }
}

final class ScriptedUpstream: Upstream {
    let script: Script

    init(_ script: Script) { self.script = script }

    func attempt(
        at model: ConfiguredModel, _ question: Question, isStream: Bool, into sink: any AnswerSink
    ) -> any UpstreamAttempt { script.make(model.name, sink, nil) }
}

/// Keeps the records of ended calls.
final class RecordKeeper: Observer {
    private(set) var records: [CallRecord] = []

    func ended(_ record: borrowing CallRecord) { records.append(copy record) }
}

/// The environment of a stage under test.
final class Stage {
    let clock = ManualClock()
    let keeper = RecordKeeper()
    let sink = Collector()
    /// The vendors.
    let upstream: ScriptedUpstream
    let loop: GatewayLoop
    private var held: [any AnswerSource] = []

    init(upstream: Script = Script()) {
        self.upstream = ScriptedUpstream(upstream)
        loop = GatewayLoop(number: 1, upstream: self.upstream, scheduler: clock, observers: [keeper])
    }

    /// Retains a source, as a caller does.
    func hold(_ source: any AnswerSource) { held.append(source) }

    func job(
        _ model: String = "", _ operation: CallRecord.Operation = .chat, fallbacks: [String] = [],
        deadline: UInt64? = nil
    ) -> Job {
        var request = ChatRequest(model: model, messages: [Message(role: .user, content: "12345678")])
        request.options.fallbacks = fallbacks
        return Job(
            .chat(request), operation, caller: .user(7), deadline: deadline.map { clock.instant + .nanoseconds($0) },
            loop: loop)
    }
}
