public import EventLoop
public import Gateway
internal import Generation
public import HTTPClient
internal import JSON
internal import Messages
internal import Providers
internal import RPC

/// What the handlers on one loop share. Belongs to that loop.
public final class ServiceLoop {
    /// The upstream side of the loop.
    let providers: ProviderContext
    /// The loop's side of the gateway.
    let gateway: GatewayLoop
    /// Packs and unpacks messages.
    let coder = MessageCoder()

    /// The things of `loop`, which must be the current one.
    public init(loop: EventLoop, http: HTTPClientOptions, gateway: Gateway) {
        providers = ProviderContext(
            loop: loop, client: HTTPClient(loop: loop, options: http), parser: JSONParser())
        self.gateway = gateway.join(providers)
    }

    /// Lets a gateway fetch its tokens here.
    public func attach(_ gateway: Gateway) { gateway.attach(loop: providers.loop, client: providers.client) }

    /// Cancels every upstream transfer, closes all connections, and lets observers write out what they hold back.
    public func shutdown() {
        providers.client.shutdown()
        gateway.flush()
    }

    func status(_ error: GenerationError) -> Status { Status(error, coder: coder) }

    /// Ends a call whose message cannot be read.
    func refuse(_ call: Call, _ error: MessageError) {
        call.fail(status(GenerationError(.invalidRequest, error.description)))
    }
}
