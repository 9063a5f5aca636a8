/// What one server takes on at most. `Config` reads some of it from the section `limits`, the others are fixed.
public struct ServerLimits: Sendable, Equatable {
    /// Connections of known callers over all loops; one more is closed at once.
    public var maxConnections = 4096
    /// Connections of strangers over all loops, beside those of known callers; one more closes the oldest.
    public var maxStrangers = 256
    /// Calls in progress on one connection; one more gets code 8.
    public var maxStreamsPerConnection = 1024
    /// The data of one frame, in bytes; at most ttrpc's own 4 MiB.
    public var maxMessageBytes = 4 << 20
    /// Output that waits for one connection's peer, in bytes; beyond it streams end with code 8.
    public var maxBufferedBytesPerConnection = 8 << 20
    /// Memory of the requests in progress on one connection, in bytes; one more call gets code 8.
    public var maxRequestBytesPerConnection = 64 << 20
    /// Memory of the requests in progress over all connections, in bytes; one more call gets code 8.
    public var maxRequestBytes = 512 << 20
    /// Output that waits for all peers together, in bytes; beyond it, connections whose peer does not read are closed.
    public var maxBufferedBytes = 512 << 20
    /// How long a frame may take from its first byte to its last, in nanoseconds.
    public var frameTimeoutNanoseconds: UInt64 = 30_000_000_000
    /// How long a connection may stay without having shown who it is, in nanoseconds.
    public var strangerTimeoutNanoseconds: UInt64 = 5_000_000_000
    /// The defaults.
    public init() {}
}
