internal import Auth
internal import Config
internal import EventLoop
internal import Generation
internal import HTTPClient

/// What an authorized transfer reports. Called on the loop, and not after `cancel`.
protocol AuthorizedTransferDelegate: AnyObject {
    /// Called before each sending, with the identity whose secrets the response may echo.
    func transferWillSend(as identity: ConfiguredModel.Identity)
    /// The status and headers of the response. Called once, before the body; never for a rejected token.
    func transferDidReceiveHead(_ head: HTTPResponseHead)
    /// A piece of the response body, valid during the call only. Returning `.pause` accepts the piece and stops further
    /// ones until `resume`.
    func transferDidReceive(_ bytes: UnsafeRawBufferPointer) -> Demand
    /// The end. Called exactly once, with `nil` if the body is complete, whatever the status.
    func transferDidFinish(_ failure: AuthorizedTransfer.Failure?)
}

/// One request with its credential: obtains a token and sends the request. If the provider rejects the token with 401
/// and a newer token may be available, it sends the request once more. Confined to one loop.
final class AuthorizedTransfer: TransferDelegate {
    /// The request without its headers, which depend on the credential.
    struct Request {
        var url: String
        /// The body of a POST; `nil` for a GET.
        var body: [UInt8]?
        var timeouts: HTTPTimeouts
        /// See `HTTPRequest.prefersHTTP1`.
        var prefersHTTP1 = false
    }

    /// Why there is no complete response.
    enum Failure {
        /// There is no token to send the request with, or to repeat it with.
        case noIdentity(GenerationError)
        case transfer(HTTPError)
    }

    private struct Sending {
        let transfer: HTTPTransfer
        let startedAt: Instant
    }

    private enum State {
        case ready
        case waitingForToken(TokenWaiter)
        case sent(Sending)
        /// The response headers arrived.
        case receiving(Sending, status: Int)
        /// The provider rejected the token, and a newer one may be available: the response is discarded.
        case rejected(Sending, status: Int)
        /// Finished or cancelled; with the last sending, if there was one.
        case over(HTTPTransfer?, status: Int)
    }

    private let model: ConfiguredModel
    private let context: ProviderContext
    private var request: Request
    private var delegate: (any AuthorizedTransferDelegate)?
    private var state = State.ready
    /// The generation of the token that was sent last.
    private var generation: UInt64 = 0
    private var isReplacement = false
    private var waited = TimeAmount.zero
    /// The repeated sendings before the current one.
    private var earlierSendings: [RepeatedSending] = []

    /// Creates a transfer; `start` sends it.
    init(_ request: Request, model: ConfiguredModel, context: ProviderContext) {
        self.request = request
        self.model = model
        self.context = context
    }

    // MARK: - For the owner

    /// Sends the request, normally within this call because a token is available. `delegate` is retained until the end
    /// and may be notified of a missing credential before this returns.
    func start(_ delegate: any AuthorizedTransferDelegate) {
        guard case .ready = state else { return }
        self.delegate = delegate
        send()
    }

    /// Cancels in any phase. A connection in use is closed; a token refresh continues for other requests.
    func cancel() {
        switch state {
        case .ready: break
        case .waitingForToken(let waiter): waiter.cancel()
        case .sent(let sending), .receiving(let sending, _), .rejected(let sending, _): sending.transfer.cancel()
        case .over: return
        }
        end()
    }

    /// Continues a paused body.
    func resume() {
        if case .receiving(let sending, _) = state { sending.transfer.resume() }
    }

    /// The HTTP status of the current sending; 0 until the response headers arrive.
    var httpStatus: Int {
        switch state {
        case .ready, .waitingForToken, .sent: 0
        case .receiving(_, let status), .rejected(_, let status), .over(_, let status): status
        }
    }

    /// How long the current sending took to connect, in microseconds; 0 if a connection was reused.
    var connectMicroseconds: Int64 { transfer?.connectMicroseconds ?? 0 }

    /// How long the request waited for tokens, in microseconds; usually 0.
    var authMicroseconds: Int64 { waited.microseconds }

    /// The size of the body while it may still have to be sent, in bytes.
    var bodyBytes: Int { request.body?.count ?? 0 }

    /// The sendings that were repeated, in order; at most three. Complete once the transfer is over.
    var repeatedSendings: [RepeatedSending] {
        guard let resend = transfer?.resend else { return earlierSendings }
        let error = GenerationError(.network, "\(model.providerName): \(resend.error)")
        return earlierSendings + [RepeatedSending(httpStatus: 0, error: error, microseconds: resend.microseconds)]
    }

    private var transfer: HTTPTransfer? {
        switch state {
        case .ready, .waitingForToken: nil
        case .sent(let sending), .receiving(let sending, _), .rejected(let sending, _): sending.transfer
        case .over(let transfer, _): transfer
        }
    }

    // MARK: - Sending

    private func send() {
        guard let credential = model.credential else { return send(with: nil) }
        if let token = credential.current { return send(with: token) }
        let since = Instant.now()
        let waiter = credential.token(on: context.loop) { [self] result in
            waited = waited + (.now() - since)
            switch result {
            case .success(let token): send(with: token)
            case .failure(let error): finish(.noIdentity(error))
            }
        }
        state = .waitingForToken(waiter)
    }

    private func send(with token: AccessToken?) {
        switch model.identity(token) {
        case .failure(let error): finish(.noIdentity(error))
        case .success(let identity):
            generation = token?.generation ?? 0
            delegate?.transferWillSend(as: identity)
            let startedAt = Instant.now()
            let transfer = context.client.start(
                HTTPRequest(
                    url: request.url, headers: identity.headers, body: request.body, timeouts: request.timeouts,
                    prefersHTTP1: request.prefersHTTP1, caFile: model.configuration.caFile),
                delegate: self)
            state = .sent(Sending(transfer: transfer, startedAt: startedAt))
        }
    }

    /// Whether the response rejects the token and a newer token may be available.
    private func replacesToken(after status: Int) -> Bool {
        guard status == 401, !isReplacement, let credential = model.credential else { return false }
        return credential.invalidate(generation)
    }

    // MARK: - From the transfer

    func transferDidReceiveHead(_ head: HTTPResponseHead) {
        guard case .sent(let sending) = state else { return }
        if replacesToken(after: head.status) {
            state = .rejected(sending, status: head.status)
            return
        }
        // The request will not be repeated.
        request.body = nil
        state = .receiving(sending, status: head.status)
        delegate?.transferDidReceiveHead(head)
    }

    func transferDidReceive(_ bytes: UnsafeRawBufferPointer) -> Demand {
        guard case .receiving = state else { return .more }
        return delegate?.transferDidReceive(bytes) ?? .more
    }

    func transferDidFinish(_ error: HTTPError?) {
        guard case .rejected(let sending, let status) = state else { return finish(error.map { .transfer($0) }) }
        let words = "\(model.providerName) rejected the token; the request was repeated with a new one"
        let elapsed = Instant.now() - sending.startedAt
        earlierSendings =
            repeatedSendings
            + [
                RepeatedSending(
                    httpStatus: status, error: GenerationError(.authentication, words),
                    microseconds: elapsed.microseconds)
            ]
        isReplacement = true
        state = .ready
        send()
    }

    // MARK: - The end

    private func finish(_ failure: Failure?) {
        let delegate = delegate
        end()
        delegate?.transferDidFinish(failure)
    }

    private func end() {
        state = .over(transfer, status: httpStatus)
        delegate = nil
        request.body = nil
    }
}
