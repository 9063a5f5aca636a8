internal import Generation

/// One attempt to get the missing vectors of a table from one model, with as many requests as the vendor's limits
/// require. Confined to one loop.
///
/// After a failed request, no further ones start. Those in progress are cancelled, unless another attempt may follow:
/// then they finish, so that the next attempt has fewer vectors to request.
final class EmbeddingAttempt: UpstreamAttempt {
    /// Maximum number of requests in progress.
    private static let parallelRequests = 4
    /// Maximum number of repeated sendings that are recorded.
    private static let listedSendings = 64

    private let model: ConfiguredModel
    /// The request without dropped options.
    private var request: EmbedRequest
    private let table: VectorTable
    private let context: ProviderContext
    private weak var sink: (any AnswerSink)?
    private var gate: AnswerGate
    private var inputs: [Int] = []
    /// The start of the next batch, an index into `inputs`.
    private var next = 0
    private var batches: [EmbeddingBatch] = []
    private var failure: GenerationError?
    private var trailer = AnswerTrailer()
    private var isOver = false
    /// True inside `proceed`: if a batch ends while it is started, the next one follows in a loop, not by recursion.
    private var isProceeding = false

    /// The HTTP status of the failed request, or else of the last one; 0 before the first response.
    private(set) var httpStatus = 0
    /// The longest time to connect of any request, in microseconds.
    private(set) var connectMicroseconds: Int64 = 0
    /// The longest time that any request waited for a token, in microseconds.
    private(set) var authMicroseconds: Int64 = 0
    private(set) var repeatedSendings: [RepeatedSending] = []
    /// The usage of the successful requests of this attempt.
    var partialUsage: Usage { trailer.usage }
    var bodyBytes: Int { batches.reduce(0) { $0 + $1.transfer.bodyBytes } }

    init(
        model: ConfiguredModel, request: EmbedRequest, table: VectorTable, context: ProviderContext,
        sink: any AnswerSink
    ) {
        self.model = model
        self.request = request
        self.table = table
        self.context = context
        self.sink = sink
        gate = AnswerGate(model)
    }

    func start() {
        trailer.provider = model.providerName
        trailer.finishReason = .stop
        do throws(GenerationError) {
            try prepare()
        } catch {
            failure = error
        }
        proceed()
    }

    func resume() {}

    func cancel(_ cause: CancelCause) {
        isOver = true
        cancelBatches()
    }

    // MARK: - Requests

    private func prepare() throws(GenerationError) {
        guard let endpoint = model.embedding else {
            throw GenerationError(.unsupported, "\(model.providerName) has no embeddings; use another provider's model")
        }
        if !request.inputType.isEmpty, !endpoint.dialect.hasInputType {
            try drop(
                "input_type", model.providerName,
                remedy: ", or, for a compatible server, set its field in 'extra_body' of the model's config")
            request.inputType = ""
        }
        if request.dimensions != nil, !model.facts.settableDimensions {
            try drop("dimensions", "\(model.providerName) with this model")
            request.dimensions = nil
        }
        try table.begin(model, dimensions: request.dimensions ?? model.facts.dimensions)
        inputs = table.missing
    }

    private func drop(_ option: String, _ what: String, remedy: String = "") throws(GenerationError) {
        guard request.dropUnsupported else {
            throw GenerationError(
                .unsupported,
                "\(what) does not support \(option); leave it out, or set drop_unsupported\(remedy)")
        }
        trailer.warnings.append("dropped \(option): \(what) does not support it")
    }

    private func proceed() {
        guard !isProceeding, !isOver else { return }
        isProceeding = true
        while failure == nil, !isOver, next < inputs.count, batches.count < Self.parallelRequests { startBatch() }
        isProceeding = false
        if batches.isEmpty, !isOver { finish() }
    }

    private func startBatch() {
        guard let endpoint = model.embedding else { return }
        let end = endpoint.limits.end(
            of: inputs, from: next, request.inputs,
            dimensions: table.dimensions)
        let indices = inputs[next..<end]
        next = end
        let body = endpoint.dialect.encode(
            indices.map { request.inputs[$0] }, request, modelName: model.nameInBody)
        let batch = EmbeddingBatch(
            indices,
            AuthorizedTransfer.Request(url: endpoint.url, body: model.body(body), timeouts: model.timeouts),
            model: model, dialect: endpoint.dialect, context: context, attempt: self)
        batches.append(batch)
        batch.transfer.start(batch)
    }

    func willSend(as identity: ConfiguredModel.Identity) { gate.add(identity) }

    func ended(_ batch: EmbeddingBatch, _ outcome: EmbeddingBatch.Outcome) {
        guard !isOver, let place = batches.firstIndex(where: { $0 === batch }) else { return }
        batches.remove(at: place)
        note(batch)
        do throws(GenerationError) {
            var (answer, requestID) = try outcome.get()
            if answer.usage.source == .absent { answer.usage = estimatedUsage(batch.indices) }
            trailer.usage.add(answer.usage)
            if !answer.model.isEmpty { trailer.model = answer.model }
            trailer.providerRequestID = requestID
            try table.store(answer, at: batch.indices, providerName: model.providerName)
            if failure == nil { httpStatus = batch.transfer.httpStatus }
        } catch {
            if failure == nil {
                failure = error
                httpStatus = batch.transfer.httpStatus
                if !error.isRetryable { cancelBatches() }
            }
        }
        proceed()
    }

    private func note(_ batch: EmbeddingBatch) {
        connectMicroseconds = max(connectMicroseconds, batch.transfer.connectMicroseconds)
        authMicroseconds = max(authMicroseconds, batch.transfer.authMicroseconds)
        repeatedSendings += batch.transfer.repeatedSendings.prefix(Self.listedSendings - repeatedSendings.count)
    }

    private func estimatedUsage(_ indices: ArraySlice<Int>) -> Usage {
        var usage = Usage()
        usage.inputTokens = indices.reduce(0) { $0 + max(1, estimateTokens(request.inputs[$1])) }
        usage.totalTokens = usage.inputTokens
        usage.source = .estimated
        return usage
    }

    private func cancelBatches() {
        for batch in batches { batch.transfer.cancel() }
        batches = []
    }

    // MARK: - Completion

    private func finish() {
        isOver = true
        if var error = failure.map({ gate.pass($0) }) {
            if error.provider.isEmpty { error.provider = model.providerName }
            if error.model.isEmpty { error.model = model.name }
            if error.httpStatus == 0 { error.httpStatus = httpStatus }
            sink?.finish(.failure(error))
            return
        }
        if trailer.model.isEmpty { trailer.model = model.modelName }
        if table.truncatedCount > 0 {
            trailer.warnings.append(
                "\(model.providerName) used only the beginning of \(table.truncatedCount) inputs, which are too long")
        }
        sink?.finish(.success(gate.pass(ChatResponse(message: Message(role: .assistant), completion: trailer))))
    }
}
