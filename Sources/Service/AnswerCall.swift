internal import EventLoop
internal import Gateway
internal import Generation
internal import Messages
internal import RPC

/// One `Generate`, `Chat` or `StreamChat`: ties the RPC call to the run that answers it.
///
/// The call's closures hold this object; it goes when the call ends.
final class AnswerCall: RunSink {
    /// How the answer is given.
    enum Form {
        case generate, chat, stream
    }

    private let call: Call
    private let form: Form
    private let context: ServiceLoop
    private var run: GenerationRun?
    private var seq: UInt64 = 0

    /// Starts the run for `request`, or ends the call where there is nothing to run.
    static func start(
        _ call: Call, _ form: Form, _ request: ChatRequest, _ fields: CallFields, gateway: Gateway,
        context: ServiceLoop
    ) {
        if fields.deadlineMilliseconds > 0 {
            let (nanoseconds, overflow) = fields.deadlineMilliseconds.multipliedReportingOverflow(by: 1_000_000)
            // Centuries away is no deadline.
            if !overflow { call.limit(nanoseconds: nanoseconds) }
        }
        let memory = request.memoryBytes
        guard call.hold(bytes: memory), call.identify(as: fields.callID) else { return }
        let answer = AnswerCall(call, form, context)
        do {
            guard !request.messages.isEmpty else {
                throw GenerationError(.invalidRequest, "messages is empty: a chat needs at least one message")
            }
            let targets = try gateway.catalog.resolve(request.model, fallbacks: request.options.fallbacks)
            answer.begin(
                GenerationRun(
                    request: request, isStream: form == .stream, targets: targets, context: context.providers,
                    ledger: gateway.ledger, startedAt: call.startedAt, deadline: call.deadline, sink: answer),
                memory: memory)
        } catch let error as GenerationError {
            call.fail(context.status(error))
        } catch {
            call.fail(context.status(GenerationError(.invalidRequest, "\(error)")))
        }
    }

    private init(_ call: Call, _ form: Form, _ context: ServiceLoop) {
        self.call = call
        self.form = form
        self.context = context
    }

    /// - Parameter memory: what the request holds, in bytes.
    private func begin(_ run: GenerationRun, memory: Int) {
        self.run = run
        call.onCancel = { reason in self.cancelled(reason) }
        call.onResume = { self.run?.resume() }
        run.start()
        // How large the request is in the vendor's form is known only now.
        if !call.isOver, !call.hold(bytes: memory + run.bodyBytes) { run.cancel() }
    }

    private func cancelled(_ reason: Call.CancelReason) {
        // The other reasons' own words are enough; a deadline is worth the trail of what was tried.
        if reason == .deadline, let run { return call.fail(context.status(run.expire())) }
        run?.cancel()
    }

    func run(_ run: GenerationRun, didDeliver event: ChunkEvent) -> Demand {
        defer { seq += 1 }
        return context.coder.encode(event, seq: seq) { size, fill in call.send(size: size, fill) }
    }

    func run(_ run: GenerationRun, didFinish result: Result<ChatResponse, GenerationError>) {
        switch result {
        case .failure(let error): call.fail(context.status(error))
        case .success(let response):
            switch form {
            case .generate: context.coder.encodeGenerate(response) { size, fill in call.respond(size: size, fill) }
            case .chat: context.coder.encode(response) { size, fill in call.respond(size: size, fill) }
            case .stream:
                _ = context.coder.encode(response.completion, seq: seq, chunkCount: seq) { size, fill in
                    call.send(size: size, fill)
                }
                call.finish()
            }
        }
    }
}
