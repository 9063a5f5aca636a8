/// What one server takes from its clients.
package struct HTTPServerLimits: Sendable {
    /// Connections at the same time; more wait in the kernel's backlog.
    package var connections: UInt32
    /// The memory of one connection, in bytes: the request's line and headers must fit, and half of it buffers output.
    /// Larger headers are answered with 431 (or 414 where the request line alone does not fit), and the connection ends.
    package var connectionBytes: Int
    /// The longest body, in bytes. A longer one is read to its end but not kept, and answered with 413.
    package var bodyBytes: Int
    /// Seconds without a byte in either direction after which a connection ends; `nil` for no limit. Does not run while
    /// the server itself holds an answer back.
    package var idleSeconds: UInt32?
    /// Seconds from the start of a connection, or from the end of the answer before, until a request must be whole, or
    /// else the connection ends; `nil` for no limit. Bounds a client that sends one byte after the other.
    package var requestSeconds: UInt32?

    /// Limits for a port that a few clients of the same machine use.
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
