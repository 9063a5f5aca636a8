internal import Config
internal import Dispatch
internal import EventLoop
internal import Generation
internal import HTTPClient

/// One refresh on its way, and what sources use on theirs: HTTP, blocking work, errors. Belongs to its loop.
final class RefreshRun {
    private let loop: EventLoop
    private let client: HTTPClient
    private let setting: RefreshSetting
    private var completion: ((Result<FetchedToken, AuthFailure>) -> Void)?
    private var timer: LoopTimer?
    private var transfer: TokenTransfer?

    init(
        loop: EventLoop, client: HTTPClient, setting: RefreshSetting,
        completion: @escaping (Result<FetchedToken, AuthFailure>) -> Void
    ) {
        self.loop = loop
        self.client = client
        self.setting = setting
        self.completion = completion
    }

    var environment: [String: String] { setting.environment }
    /// Seconds that the refresh may take.
    var timeout: Double { setting.timeout }

    /// The value of a variable; `nil` where it is unset or empty.
    func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }

    // MARK: - From its home

    func start(_ source: any TokenSource) {
        let timer = LoopTimer { [weak self] in self?.timeOut() }
        self.timer = timer
        loop.schedule(timer, afterNanoseconds: UInt64(setting.timeout * 1e9))
        let box = LoopBound(self, on: loop)
        Task(executorPreference: loop) {
            let run = box.value
            let result: Result<FetchedToken, AuthFailure>
            do throws(AuthFailure) {
                result = .success(try await source.fetch(run))
            } catch {
                result = .failure(error)
            }
            run.finish(result)
        }
    }

    /// Gives up; the completion is not called any more.
    func stop() {
        completion = nil
        end()
    }

    private func end() {
        if let timer { loop.cancel(timer) }
        timer = nil
        // The source hears that its transfer failed and comes to its own end.
        transfer?.cancel()
        transfer = nil
    }

    private func finish(_ result: Result<FetchedToken, AuthFailure>) {
        let completion = completion
        self.completion = nil
        end()
        completion?(result)
    }

    private func timeOut() {
        let seconds = setting.timeout == setting.timeout.rounded() ? "\(Int(setting.timeout))" : "\(setting.timeout)"
        let place = transfer.map { " by \($0.place)" } ?? ""
        finish(.failure(failure(.providerUnavailable, "no token came within \(seconds) s\(place)")))
    }

    // MARK: - For sources

    /// An error in the credential's name.
    func failure(_ kind: GenerationError.Kind, _ message: String) -> AuthFailure {
        AuthFailure(error: GenerationError(kind, "\(setting.label): \(message)"))
    }

    /// Runs `body`, which blocks, on a thread of its own.
    func blocking<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
        await withCheckedContinuation { continuation in
            DispatchQueue.global(qos: .userInitiated).async { continuation.resume(returning: body()) }
        }
    }

    /// Reads a small file.
    /// - Parameter what: what it is, for the error.
    func file(_ path: String, _ what: String) async throws(AuthFailure) -> Secret {
        let result = await blocking { () -> Result<Secret, SecretError> in
            do throws(SecretError) {
                return .success(try SecretSource.file(path: path).resolve(environment: [:]))
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let secret): return secret
        case .failure(let error): throw failure(.authentication, "\(what): \(error)")
        }
    }

    /// Sends a request and waits for its whole answer, whatever its status.
    func send(_ request: TokenRequest) async throws(AuthFailure) -> TokenResponse {
        guard completion != nil else { throw failure(.cancelled, "given up") }
        let prepared: HTTPRequest
        do throws(HTTPError) {
            prepared = try request.prepared(timeout: setting.timeout, caFile: setting.caFile)
        } catch {
            throw failure(.authentication, "the request to \(request.place) cannot be made: \(error)")
        }
        let result = await withCheckedContinuation { continuation in
            let transfer = TokenTransfer(place: request.place) { continuation.resume(returning: $0) }
            self.transfer = transfer
            transfer.start(prepared, client)
        }
        transfer = nil
        switch result {
        case .success(let response): return response
        case .failure(let error): throw transferFailure(error, request)
        }
    }

    private func transferFailure(_ error: HTTPError, _ request: TokenRequest) -> AuthFailure {
        let words = request.redaction.clean(error.description)
        switch error.kind {
        case .badURL:
            return failure(.authentication, "the address \(request.place) cannot be used: \(words)")
        case .timeout(.connect), .resolve, .connect, .tls:
            return failure(.network, "\(request.place) was not reached: \(words)")
        case .timeout: return failure(.providerUnavailable, "\(request.place) did not answer in time: \(words)")
        default: return failure(.network, "the answer of \(request.place) did not come whole: \(words)")
        }
    }
}
