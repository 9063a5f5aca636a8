internal import Generation

/// A caller's pending request for a token, returned by `Credential.token`. Confined to the caller's loop.
package final class TokenWaiter {
    private var completion: ((Result<AccessToken, GenerationError>) -> Void)?
    private let leave: (() -> Void)?

    init(
        _ completion: @escaping (Result<AccessToken, GenerationError>) -> Void, leave: (() -> Void)?
    ) {
        self.completion = completion
        self.leave = leave
    }

    /// Stops waiting: the completion handler is not called. The refresh continues, because others may wait for it.
    package func cancel() {
        guard completion != nil else { return }
        completion = nil
        leave?()
    }

    func finish(_ result: Result<AccessToken, GenerationError>) {
        let completion = completion
        self.completion = nil
        completion?(result)
    }
}
