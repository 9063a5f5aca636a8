/// The limits of a server. `Config` reads some of them from the section `limits`; the others are fixed.
public struct ServerLimits: Sendable, Equatable {
    /// Maximum connections of known callers, over all loops; further ones are closed immediately.
    public var maxConnections = 4096
    /// Maximum connections of strangers (unauthenticated callers), over all loops, in addition to those of known
    /// callers; a further one replaces the oldest.
    public var maxStrangers = 256
    /// Maximum calls in progress per connection; further ones fail with code 8.
    public var maxStreamsPerConnection = 1024
    /// Maximum data of one frame, in bytes; at most 4 MiB, the limit of ttrpc.
    public var maxMessageBytes = 4 << 20
    /// Maximum output waiting for the peer of one connection, in bytes; beyond it, streams end with code 8.
    public var maxBufferedBytesPerConnection = 8 << 20
    /// Maximum memory of the requests in progress per connection, in bytes; further calls fail with code 8.
    public var maxRequestBytesPerConnection = 64 << 20
    /// Maximum memory of the requests in progress over all connections, in bytes; further calls fail with code 8.
    public var maxRequestBytes = 512 << 20
    /// Maximum output waiting for all peers, in bytes; beyond it, connections whose peer does not read are closed.
    public var maxBufferedBytes = 512 << 20
    /// Maximum time from the first to the last byte of a frame, in nanoseconds.
    public var frameTimeoutNanoseconds: UInt64 = 30_000_000_000
    /// Maximum time until a connection must have authenticated, in nanoseconds.
    public var strangerTimeoutNanoseconds: UInt64 = 5_000_000_000
    /// Creates the default limits.
    public init() {}
}
