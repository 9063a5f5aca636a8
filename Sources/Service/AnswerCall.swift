internal import EventLoop
internal import Gateway
internal import Generation
internal import Messages
internal import Providers
internal import RPC

/// A `Generate`, `Chat`, `StreamChat` or `Embed` call: connects the RPC call to the gateway's response.
///
/// The call's closures own this object, so it is released when the call ends.
final class AnswerCall: AnswerSink {
    private let call: Call
    private let operation: CallRecord.Operation
    private let context: ServiceLoop
    /// The vectors of an `Embed` call.
    private var vectors: VectorTable?
    private var run: AnswerRun?
    private var seq: UInt64 = 0

    /// Passes `question` to the gateway, or fails the call if the request exceeds the server's memory limits.
    static func start(
        _ call: Call, _ operation: CallRecord.Operation, _ question: Question, _ fields: CallFields,
        gateway: Gateway, context: ServiceLoop
    ) {
        if fields.deadlineMilliseconds > 0 {
            let (nanoseconds, overflow) = fields.deadlineMilliseconds.multipliedReportingOverflow(by: 1_000_000)
            // A deadline that overflows is centuries away: it counts as none.
            if !overflow { call.limit(.nanoseconds(nanoseconds)) }
        }
        let memory = question.memoryBytes
        guard call.hold(bytes: memory), call.identify(as: fields.callID) else { return }
        let job = Job(
            question, operation, caller: Caller(call), callID: fields.callID, requestBytes: memory,
            startedAt: call.startedAt, deadline: call.deadline, loop: context.gateway)
        let answer = AnswerCall(call, operation, question, context)
        answer.begin(gateway.answer(job, into: answer), memory: memory)
    }

    private init(_ call: Call, _ operation: CallRecord.Operation, _ question: Question, _ context: ServiceLoop) {
        self.call = call
        self.operation = operation
        self.context = context
        if case .embed(_, let table) = question { vectors = table }
    }

    /// - Parameter memory: memory that the request occupies, in bytes.
    private func begin(_ run: AnswerRun, memory: Int) {
        self.run = run
        call.onCancel = { reason in self.cancelled(reason) }
        call.onResume = { self.run?.resume() }
        run.start()
        // The size of the encoded upstream request is only known now.
        if !call.isOver, !call.hold(bytes: memory + run.bodyBytes) { run.cancel(.refused) }
    }

    private func cancelled(_ reason: Call.CancelReason) {
        // A deadline error includes the attempts made. For other reasons, the server's own error suffices.
        if reason == .deadline, let run { return call.fail(context.status(run.expire())) }
        run?.cancel(CancelCause(reason))
    }

    func receive(_ event: ChunkEvent) -> Demand {
        defer { seq += 1 }
        return context.coder.encode(event, seq: seq) { size, fill in call.send(size: size, fill) }
    }

    func finish(_ result: Result<ChatResponse, GenerationError>) {
        switch result {
        case .failure(let error): call.fail(context.status(error))
        case .success(let response):
            switch operation {
            case .generate: context.coder.encodeGenerate(response) { size, fill in call.respond(size: size, fill) }
            case .chat: context.coder.encode(response) { size, fill in call.respond(size: size, fill) }
            case .streamChat:
                _ = context.coder.encode(response.completion, seq: seq, chunkCount: seq) { size, fill in
                    call.send(size: size, fill)
                }
                call.finish()
            case .embed:
                guard let vectors else { return }
                context.coder.encode(vectors.response(response.completion)) { size, fill in
                    call.respond(size: size, fill)
                }
            }
        }
    }
}
