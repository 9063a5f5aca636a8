internal import Auth
internal import EventLoop
internal import Generation

/// A credential's part in one request: what to send, once there is a token, and a second chance for a token that the
/// provider rejects. Belongs to one loop.
final class Authorization {
    private let model: ConfiguredModel
    private let loop: EventLoop
    private var waiter: TokenWaiter?
    private var generation: UInt64 = 0
    private var hasReplaced = false
    private var waitedNanoseconds: UInt64 = 0

    /// How long requests waited for tokens, in microseconds.
    var waitedMicroseconds: Int64 { Int64(waitedNanoseconds / 1000) }

    init(model: ConfiguredModel, loop: EventLoop) {
        self.model = model
        self.loop = loop
    }

    /// Calls `completion` with what to send: before this returns where a token is available, which is the rule.
    func identity(_ completion: @escaping (Result<ConfiguredModel.Identity, GenerationError>) -> Void) {
        guard let credential = model.credential else { return completion(model.identity(nil)) }
        if let token = credential.current {
            generation = token.generation
            return completion(model.identity(token))
        }
        let since = EventLoop.monotonicNanoseconds()
        waiter = credential.token(on: loop) { [weak self] result in
            guard let self else { return }
            waiter = nil
            waitedNanoseconds += EventLoop.monotonicNanoseconds() - since
            switch result {
            case .failure(let error): completion(.failure(error))
            case .success(let token):
                generation = token.generation
                completion(model.identity(token))
            }
        }
    }

    /// Stops waiting; the refresh itself goes on for others.
    func cancel() {
        waiter?.cancel()
        waiter = nil
    }

    /// Whether an answer says that the token was rejected, and another token may do better. Once a request.
    func replacesToken(after status: Int) -> Bool {
        guard status == 401, !hasReplaced, let credential = model.credential else { return false }
        hasReplaced = true
        return credential.invalidate(generation)
    }
}
