/// What one server takes on at most.
public struct ServerLimits: Sendable {
    /// Connections of known callers over all loops; one more is closed at once.
    public var maxConnections = 4096
    /// Connections of strangers over all loops, beside those of known callers; one more closes the oldest.
    public var maxStrangers = 256
    /// Calls in progress on one connection; one more gets code 8.
    public var maxStreamsPerConnection = 1024
    /// The data of one frame, in bytes; at most ttrpc's own 4 MiB.
    public var maxMessageBytes = FrameHeader.maximumLength
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
    /// The data of one frame of a stranger, in bytes.
    static let maxStrangerMessageBytes = 64 << 10
    /// An unfinished frame up to this many bytes counts, but is not given up for the bytes that are in progress.
    static let smallFrameBytes = 4 << 10
    /// Frames of one connection that break the protocol, after which it is closed.
    static let maxProtocolErrors = 1000
    /// A stranger younger than this many nanoseconds does not make room for another one: it may be about to say who it is.
    static let strangerGraceNanoseconds: UInt64 = 250_000_000
    /// A call's metadata, in bytes.
    static let maxMetadataBytes = 16 << 10

    /// The defaults.
    public init() {}

    /// Streams pause when this many bytes wait for the peer, and resume at a quarter of it.
    var pauseBytes: Int { min(256 << 10, maxBufferedBytesPerConnection / 2) }
}
