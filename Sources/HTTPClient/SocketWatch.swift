internal import EventLoop

/// Watches one of libcurl's sockets on the event loop.
final class SocketWatch: ReadinessHandler {
    private let socket: Int32
    private unowned let client: HTTPClient
    private var registration: Registration?

    init(_ socket: Int32, _ interest: Interest, client: HTTPClient) {
        self.socket = socket
        self.client = client
        // If registration fails, the socket never becomes ready, and the transfer ends with a timeout.
        registration = try? client.loop.register(socket, interest, self)
    }

    func update(_ interest: Interest) {
        if let registration { try? client.loop.update(registration, interest) }
    }

    func stop() {
        if let registration { client.loop.deregister(registration) }
        registration = nil
    }

    func ready(_ readiness: Readiness) { client.socketReady(socket, readiness) }
}
