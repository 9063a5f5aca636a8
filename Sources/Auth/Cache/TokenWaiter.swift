internal import Generation

/// Somebody who waits for a token. Belongs to the loop that it waits on.
public final class TokenWaiter {
    private var completion: ((Result<AccessToken, GenerationError>) -> Void)?
    private let leave: (() -> Void)?

    init(
        _ completion: @escaping (Result<AccessToken, GenerationError>) -> Void, leave: (() -> Void)?
    ) {
        self.completion = completion
        self.leave = leave
    }

    /// Stops waiting; the completion is not called any more. The refresh goes on: others may wait for it.
    public func cancel() {
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
