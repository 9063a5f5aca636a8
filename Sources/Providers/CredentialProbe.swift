internal import Config
public import EventLoop
public import Generation
public import HTTPClient
internal import JSON

/// Asks a provider whether it takes a model's credential, by listing its models, which costs nothing. Belongs to one
/// loop.
public final class CredentialProbe: TransferDelegate {
    private let model: ConfiguredModel
    private let context: ProviderContext
    private var transfer: HTTPTransfer?
    private var head: HTTPResponseHead?
    private var body: [UInt8] = []
    private var completion: ((GenerationError?) -> Void)?

    /// A probe that `start` sets going.
    public init(model: ConfiguredModel, context: ProviderContext) {
        self.model = model
        self.context = context
    }

    /// Asks. `completion` hears `nil` where the provider is well and takes the credential; exactly once, unless
    /// cancelled.
    public func start(_ completion: @escaping (GenerationError?) -> Void) {
        self.completion = completion
        var timeouts = model.timeouts
        timeouts.total = min(timeouts.total, 10_000_000_000)
        transfer = context.client.start(
            HTTPRequest(
                url: model.modelsURL, headers: model.headers, body: nil, timeouts: timeouts,
                caFile: model.configuration.caFile),
            delegate: self)
    }

    /// Gives up; `completion` hears nothing.
    public func cancel() {
        completion = nil
        transfer?.cancel()
    }

    /// Part of `TransferDelegate`.
    public func transferDidReceiveHead(_ head: HTTPResponseHead) { self.head = head }

    /// Part of `TransferDelegate`.
    public func transferDidReceive(_ bytes: UnsafeRawBufferPointer) -> Demand {
        // A list of models may be long, and only an error's words are of interest.
        if body.count < 16 << 10 { body.append(contentsOf: bytes.prefix(16 << 10)) }
        return .more
    }

    /// Part of `TransferDelegate`.
    public func transferDidFinish(_ error: HTTPError?) {
        let completion = completion
        self.completion = nil
        completion?(verdict(error))
    }

    private func verdict(_ error: HTTPError?) -> GenerationError? {
        if let error { return GenerationError(.network, "\(model.providerName): \(error)") }
        guard let head else { return GenerationError(.badProviderResponse, "an answer without a head") }
        // Many compatible servers have no list of models; a credential problem would have come first.
        if head.status < 300 || head.status == 404 || head.status == 405 { return nil }
        var vendor = VendorError()
        if let root = try? context.parser.parse(body) { vendor = VendorError(root) }
        return vendor.generationError(httpStatus: head.status, head: head, model: model)
    }
}
