internal import EventLoop
internal import Limits

/// The bounds of the wire that no configuration changes.
extension ServerLimits {
    /// The data of one frame of a stranger, in bytes.
    static let maxStrangerMessageBytes = 64 << 10
    /// An unfinished frame up to this many bytes counts, but is not given up for the bytes that are in progress.
    static let smallFrameBytes = 4 << 10
    /// Frames of one connection that break the protocol, after which it is closed.
    static let maxProtocolErrors = 1000
    /// A stranger younger than this does not make room for another one: it may be about to say who it is.
    static let strangerGrace = TimeAmount.milliseconds(250)
    /// A call's metadata, in bytes.
    static let maxMetadataBytes = 16 << 10

    /// Streams pause when this many bytes wait for the peer, and resume at a quarter of it.
    var pauseBytes: Int { min(256 << 10, maxBufferedBytesPerConnection / 2) }
}
