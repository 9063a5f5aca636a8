internal import Config
internal import EventLoop
internal import Gateway
internal import Generation
internal import HTTPClient
internal import JSON
internal import Providers

/// The gateway of one configuration in this process, on the loop that all in-process models share.
final class LocalGateway: Sendable {
    private let gateway: Gateway
    private let engine: LocalEngine
    private let skipsVerification: Bool
    /// Set with the first request.
    private let joined = Locked<LoopBound<GatewayLoop>?>(nil)

    /// - Throws: `GenerationError` where a model cannot be built.
    init(_ configuration: Configuration) throws(GenerationError) {
        gateway = try Gateway(configuration)
        engine = try LocalEngine.shared()
        skipsVerification = configuration.tls.insecureSkipVerify
        // A key is not fetched.
        guard gateway.catalog.credentials.isUsed else { return }
        engine.loop.execute { [self] in gateway.attach(loop: engine.loop, client: context.client) }
    }

    /// The model that is asked about the credential of `name`: the model itself, or the route's first one.
    /// - Throws: `GenerationError` where `name` stands for nothing that can be used.
    func model(of name: String) throws(GenerationError) -> ConfiguredModel {
        let catalog = gateway.catalog
        if let model = catalog.models.first(where: { $0.name == name }) { return model }
        if let model = catalog.routes.first(where: { $0.name == name })?.models.first { return model }
        _ = try catalog.resolve(name)
        throw GenerationError(.unknownModel, "the configuration has no model or route '\(name)'")
    }

    /// The loop.
    var loop: EventLoop { engine.loop }

    /// The upstream side. On the loop.
    var context: ProviderContext { engine.context(skipsVerification: skipsVerification) }

    /// An answer for the caller to start. On the loop.
    func answer(
        _ request: ChatRequest, _ operation: CallRecord.Operation, into sink: any AnswerSink
    ) -> AnswerRun {
        let known = joined.withLock { $0 }
        let bound = known ?? LoopBound(gateway.join(context), on: engine.loop)
        if known == nil { joined.withLock { $0 = bound } }
        return gateway.answer(Job(request, operation, caller: .process, loop: bound.value), into: sink)
    }
}

/// The loop and the clients that all in-process models share; made at the first use and kept.
final class LocalEngine: Sendable {
    let loop: EventLoop
    /// By whether certificates go unverified. Each set with the first use, on the loop.
    private let contexts = Locked<[Bool: LoopBound<ProviderContext>]>([:])

    private init(_ loop: EventLoop) { self.loop = loop }

    /// The upstream side. On the loop.
    func context(skipsVerification: Bool) -> ProviderContext {
        if let known = contexts.withLock({ $0[skipsVerification] }) { return known.value }
        var options = HTTPClientOptions()
        options.skipsVerification = skipsVerification
        let context = ProviderContext(
            loop: loop, client: HTTPClient(loop: loop, options: options), parser: JSONParser())
        let bound = LoopBound(context, on: loop)
        contexts.withLock { $0[skipsVerification] = bound }
        return context
    }

    private static let instance: Locked<LocalEngine?> = Locked(nil)

    static func shared() throws(GenerationError) -> LocalEngine {
        do {
            return try instance.withLock { current in
                if let current { return current }
                let engine = LocalEngine(try EventLoop(label: "genwire-local"))
                current = engine
                return engine
            }
        } catch {
            throw GenerationError(.overloaded, "no event loop: \(error)")
        }
    }
}
