/// The limits of an HTTP server.
package struct HTTPServerLimits: Sendable {
    /// Maximum concurrent connections; further ones wait in the kernel's backlog.
    package var connections: UInt32
    /// Memory per connection, in bytes. It must hold the request line and headers; half of it buffers output. Larger
    /// headers get status 431, or 414 if the request line alone is too large, and the connection is closed.
    package var connectionBytes: Int
    /// Maximum body size, in bytes. A larger body is read and discarded, and gets status 413.
    package var bodyBytes: Int
    /// Seconds without a byte in either direction after which a connection is closed; `nil` for no limit. Paused while
    /// the server itself delays a response.
    package var idleSeconds: UInt32?
    /// Seconds within which a request must be complete, counted from the start of the connection or the end of the
    /// previous response; otherwise the connection is closed. `nil` for no limit. Protects against clients that send
    /// slowly.
    package var requestSeconds: UInt32?

    /// Creates limits; the defaults suit a port with a few clients on the same machine.
    package init(
        connections: UInt32 = 64, connectionBytes: Int = 32 << 10, bodyBytes: Int = 1 << 20,
        idleSeconds: UInt32? = 60, requestSeconds: UInt32? = 60
    ) {
        self.connections = connections
        self.connectionBytes = connectionBytes
        self.bodyBytes = bodyBytes
        self.idleSeconds = idleSeconds
        self.requestSeconds = requestSeconds
    }
}
