internal import Config
internal import Dispatch
internal import EventLoop
internal import Generation
internal import HTTPClient

/// A refresh in progress, and the operations that sources need: HTTP, blocking work, errors. Confined to its loop.
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
    /// Time limit of the whole refresh, in seconds.
    var timeout: Double { setting.timeout }

    /// The value of an environment variable; `nil` if it is unset or empty.
    func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }

    // MARK: - For RefreshHome

    func start(_ source: any TokenSource) {
        let timer = LoopTimer { [weak self] in self?.timeOut() }
        self.timer = timer
        loop.schedule(timer, after: .seconds(setting.timeout))
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

    /// Cancels the refresh. The completion handler is not called.
    func stop() {
        completion = nil
        end()
    }

    private func end() {
        if let timer { loop.cancel(timer) }
        timer = nil
        // Cancelling fails the source's pending request, so that `fetch` returns.
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
        let place = transfer.map { " from \($0.place)" } ?? ""
        finish(.failure(failure(.providerUnavailable, "timed out waiting for a token\(place) after \(seconds) s")))
    }

    // MARK: - For sources

    /// An error whose message starts with the credential's name and type.
    func failure(_ kind: GenerationError.Kind, _ message: String) -> AuthFailure {
        AuthFailure(error: GenerationError(kind, "\(setting.label): \(message)"))
    }

    /// Runs `body`, which may block, on another thread, and resumes on the loop.
    func blocking<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
        await withCheckedContinuation { continuation in
            DispatchQueue.global(qos: .userInitiated).async { continuation.resume(returning: body()) }
        }
    }

    /// Reads a file of at most `SecretSource.maximumSize` bytes.
    /// - Parameter what: names the file in errors.
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

    /// Sends a request and returns its complete response, whatever the status.
    func send(_ request: TokenRequest) async throws(AuthFailure) -> TokenResponse {
        guard completion != nil else { throw failure(.cancelled, "cancelled") }
        let prepared: HTTPRequest
        do throws(HTTPError) {
            prepared = try request.prepared(timeout: setting.timeout, caFile: setting.caFile)
        } catch {
            throw failure(.authentication, "the request to \(request.place) is not valid: \(error)")
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
        let reason = request.redaction.clean(error.description)
        switch error.kind {
        case .badURL:
            return failure(.authentication, "the URL \(request.place) is not valid: \(reason)")
        case .timeout(.connect), .resolve, .connect, .tls:
            return failure(.network, "\(request.place) could not be reached: \(reason)")
        case .timeout: return failure(.providerUnavailable, "\(request.place) did not respond in time: \(reason)")
        default: return failure(.network, "the request to \(request.place) failed: \(reason)")
        }
    }
}
