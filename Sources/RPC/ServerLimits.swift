internal import EventLoop
internal import Limits

/// Protocol limits that are not configurable.
extension ServerLimits {
    /// Maximum data of one frame of a stranger, in bytes.
    static let maxStrangerMessageBytes = 64 << 10
    /// An incomplete frame of at most this many bytes is counted, but not dropped if the memory limit is reached.
    static let smallFrameBytes = 4 << 10
    /// Protocol violations after which a connection is closed.
    static let maxProtocolErrors = 1000
    /// A stranger younger than this is not closed in favor of another one: it may be about to authenticate.
    static let strangerGrace = TimeAmount.milliseconds(250)
    /// Maximum size of a call's metadata, in bytes.
    static let maxMetadataBytes = 16 << 10

    /// Streams pause when more than this many bytes of output are waiting for the peer, and resume at a quarter of it.
    var pauseBytes: Int { min(256 << 10, maxBufferedBytesPerConnection / 2) }
}
