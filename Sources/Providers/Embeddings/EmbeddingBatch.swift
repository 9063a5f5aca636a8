internal import EventLoop
internal import Generation
internal import HTTPClient

/// One request for the vectors of several inputs. Confined to one loop.
final class EmbeddingBatch: AuthorizedTransferDelegate {
    /// The result of the request.
    typealias Outcome = Result<(batch: EmbeddedBatch, requestID: String), GenerationError>

    /// The inputs whose vectors are requested.
    let indices: ArraySlice<Int>
    let transfer: AuthorizedTransfer
    private let model: ConfiguredModel
    private let dialect: any EmbeddingDialect
    private let context: ProviderContext
    private var body: AnswerBody
    private var head: HTTPResponseHead?
    private unowned let attempt: EmbeddingAttempt

    init(
        _ indices: ArraySlice<Int>, _ request: AuthorizedTransfer.Request, model: ConfiguredModel,
        dialect: any EmbeddingDialect, context: ProviderContext, attempt: EmbeddingAttempt
    ) {
        self.indices = indices
        self.model = model
        self.dialect = dialect
        self.context = context
        self.attempt = attempt
        transfer = AuthorizedTransfer(request, model: model, context: context)
        body = AnswerBody(context.answers)
    }

    func transferWillSend(as identity: ConfiguredModel.Identity) { attempt.willSend(as: identity) }

    func transferDidReceiveHead(_ head: HTTPResponseHead) { self.head = head }

    func transferDidReceive(_ bytes: UnsafeRawBufferPointer) -> Demand {
        guard let head else { return .more }
        do {
            let isUseful = try body.add(bytes, status: head.status, providerName: model.providerName)
            if !isUseful { end(.failure(body.error(head, of: model, context.parser))) }
        } catch {
            end(.failure(error))
        }
        return .more
    }

    func transferDidFinish(_ failure: AuthorizedTransfer.Failure?) {
        // An error status is more informative than the error that interrupted its body.
        if let head, head.status >= 300 { return end(.failure(body.error(head, of: model, context.parser))) }
        switch failure {
        case .noIdentity(let error): return end(.failure(error))
        case .transfer(let error): return end(.failure(model.error(from: error, httpStatus: transfer.httpStatus)))
        case nil: break
        }
        guard let head else {
            return end(.failure(GenerationError(.badProviderResponse, "the response ended before its headers")))
        }
        do throws(GenerationError) {
            let root = try body.parse(context.parser, providerName: model.providerName)
            if let error = VendorError(inAnswer: root) { throw error.generationError(for: model) }
            let batch = try dialect.decode(root, count: indices.count, providerName: model.providerName)
            end(.success((batch, head.requestID)))
        } catch {
            end(.failure(error))
        }
    }

    private func end(_ outcome: Outcome) {
        transfer.cancel()
        body.clear()
        attempt.ended(self, outcome)
    }
}
