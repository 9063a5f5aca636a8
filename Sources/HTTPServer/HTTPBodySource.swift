/// The result of reading from a body source.
package enum HTTPBodyPart {
    /// The number of bytes written to the start of the buffer, at least 1. They are sent as one HTTP chunk.
    case bytes(Int)
    /// No data yet; the source calls `HTTPExchange.resume` when there is.
    case pending
    /// The body is complete.
    case end
    /// The body cannot be completed. The connection is closed, so that the client detects a truncated response.
    case cut
}

/// Provides the body of a streamed response in parts. It is read only after the client has received the previous part,
/// so a source needs no queue for backpressure.
package protocol HTTPBodySource: AnyObject {
    /// Writes the next bytes to `buffer`, which has some tens of KiB. Called on the loop.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> HTTPBodyPart
}
