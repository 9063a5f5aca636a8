/// What one server takes on at most.
public struct ServerLimits: Sendable {
    /// Connections over all loops; one more is closed at once.
    public var maxConnections = 4096
    /// Calls in progress on one connection; one more gets code 8.
    public var maxStreamsPerConnection = 1024
    /// The data of one frame, in bytes; at most ttrpc's own 4 MiB.
    public var maxMessageBytes = FrameHeader.maximumLength
    /// Output that waits for one connection's peer, in bytes; beyond it streams end with code 8.
    public var maxBufferedBytesPerConnection = 8 << 20
    /// How long a frame may take from its first byte to its last, in nanoseconds.
    public var frameTimeoutNanoseconds: UInt64 = 30_000_000_000
    /// How long a TCP connection may stay without a token, where one is asked for, in nanoseconds.
    public var tokenTimeoutNanoseconds: UInt64 = 10_000_000_000

    /// The defaults.
    public init() {}

    /// Streams pause when this many bytes wait for the peer, and resume at a quarter of it.
    var pauseBytes: Int { min(256 << 10, maxBufferedBytesPerConnection / 2) }
}
