internal import Config
internal import EventLoop
internal import Gateway
internal import Generation
internal import HTTPClient
internal import JSON
internal import Providers

/// An in-process gateway for one configuration. Runs on the loop that all in-process models share.
final class LocalGateway: Sendable {
    private let gateway: Gateway
    private let engine: LocalEngine
    private let skipsVerification: Bool
    /// Set by the first request.
    private let joined = Locked<LoopBound<GatewayLoop>?>(nil)

    /// - Throws: `GenerationError` if a model cannot be built.
    init(_ configuration: Configuration) throws(GenerationError) {
        gateway = try Gateway(configuration)
        engine = try LocalEngine.shared()
        skipsVerification = configuration.tls.insecureSkipVerify
        // Static keys need no token client.
        guard gateway.catalog.credentials.isUsed else { return }
        engine.loop.execute { [self] in gateway.attach(loop: engine.loop, client: context.client) }
    }

    /// Returns the model whose credential represents `name`: the model itself, or the first model of a route.
    /// - Throws: `GenerationError` if `name` is not a usable model or route.
    func model(of name: String) throws(GenerationError) -> ConfiguredModel {
        let catalog = gateway.catalog
        if let model = catalog.models.first(where: { $0.name == name }) { return model }
        if let model = catalog.routes.first(where: { $0.name == name })?.models.first { return model }
        _ = try catalog.resolve(name)
        throw GenerationError(.unknownModel, "the configuration has no model or route '\(name)'")
    }

    /// The loop on which requests run.
    var loop: EventLoop { engine.loop }

    /// The vendor clients. Must be accessed on the loop.
    var context: ProviderContext { engine.context(skipsVerification: skipsVerification) }

    /// Returns a source for the response; the caller must hold and start it. Must be called on the loop.
    func answer(
        _ question: Question, _ operation: CallRecord.Operation, into sink: any AnswerSink
    ) -> AnswerRun {
        let known = joined.withLock { $0 }
        let bound = known ?? LoopBound(gateway.join(context), on: engine.loop)
        if known == nil { joined.withLock { $0 = bound } }
        return gateway.answer(Job(question, operation, caller: .process, loop: bound.value), into: sink)
    }
}

/// The loop and HTTP clients that all in-process models share. Created at first use and never released.
final class LocalEngine: Sendable {
    let loop: EventLoop
    /// Keyed by whether certificate verification is skipped. Filled at first use, on the loop.
    private let contexts = Locked<[Bool: LoopBound<ProviderContext>]>([:])

    private init(_ loop: EventLoop) { self.loop = loop }

    /// Returns the vendor clients. Must be called on the loop.
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
            throw GenerationError(.overloaded, "cannot create an event loop: \(error)")
        }
    }
}
