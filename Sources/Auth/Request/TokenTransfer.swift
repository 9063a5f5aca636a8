internal import EventLoop
internal import HTTPClient

/// A complete response.
struct TokenResponse: Sendable {
    let head: HTTPResponseHead
    let body: [UInt8]

    var isGood: Bool { (200..<300).contains(head.status) }
}

/// Sends one request and collects its response. Confined to its loop.
final class TokenTransfer: TransferDelegate {
    /// The largest accepted body, in bytes.
    static let maximumBytes = 256 << 10

    /// The URL without its query, for errors.
    let place: String
    private var completion: ((Result<TokenResponse, HTTPError>) -> Void)?
    private var transfer: HTTPTransfer?
    private var head: HTTPResponseHead?
    private var body: [UInt8] = []

    /// `completion` is called exactly once.
    init(place: String, _ completion: @escaping (Result<TokenResponse, HTTPError>) -> Void) {
        self.place = place
        self.completion = completion
    }

    func start(_ request: HTTPRequest, _ client: HTTPClient) { transfer = client.start(request, delegate: self) }

    /// Cancels the request. `completion` receives an error of kind `.interrupted`.
    func cancel() {
        transfer?.cancel()
        finish(.failure(HTTPError(.interrupted, "cancelled")))
    }

    private func finish(_ result: Result<TokenResponse, HTTPError>) {
        let completion = completion
        self.completion = nil
        transfer = nil
        completion?(result)
    }

    func transferDidReceiveHead(_ head: HTTPResponseHead) { self.head = head }

    func transferDidReceive(_ bytes: UnsafeRawBufferPointer) -> Demand {
        guard body.count + bytes.count <= Self.maximumBytes else {
            transfer?.cancel()
            finish(.failure(HTTPError(.tooLarge, "the response has more than \(Self.maximumBytes) bytes")))
            return .more
        }
        body.append(contentsOf: bytes)
        return .more
    }

    func transferDidFinish(_ error: HTTPError?) {
        if let error { return finish(.failure(error)) }
        guard let head else { return finish(.failure(HTTPError(.interrupted, "response ended before its headers"))) }
        finish(.success(TokenResponse(head: head, body: body)))
    }
}
