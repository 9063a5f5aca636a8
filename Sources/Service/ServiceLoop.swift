package import EventLoop
package import Gateway
internal import Generation
package import HTTPClient
internal import JSON
internal import Messages
internal import Providers
internal import RPC

/// The state that the handlers on one loop share. Confined to that loop.
package final class ServiceLoop {
    /// The vendor clients of the loop.
    let providers: ProviderContext
    /// The gateway state of the loop.
    let gateway: GatewayLoop
    /// Encodes and decodes Protobuf messages.
    let coder = MessageCoder()

    /// Must be called on `loop`.
    package init(loop: EventLoop, http: HTTPClientOptions, gateway: Gateway) {
        providers = ProviderContext(
            loop: loop, client: HTTPClient(loop: loop, options: http), parser: JSONParser())
        self.gateway = gateway.join(providers)
    }

    /// Makes `gateway` fetch its tokens on this loop. Called on the loop.
    package func attach(_ gateway: Gateway) { gateway.attach(loop: providers.loop, client: providers.client) }

    /// Cancels all upstream transfers, closes their connections, and has the observers write their buffered data.
    package func shutdown() {
        providers.client.shutdown()
        gateway.flush()
    }

    func status(_ error: GenerationError) -> Status { Status(error, coder: coder) }

    /// Fails a call whose message cannot be decoded.
    func refuse(_ call: Call, _ error: MessageError) {
        call.fail(status(GenerationError(.invalidRequest, error.description)))
    }
}
