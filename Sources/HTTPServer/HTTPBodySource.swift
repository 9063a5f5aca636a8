/// What a source gives for the body of a streamed response.
package enum HTTPBodyPart {
    /// So many bytes, at least 1, were written to the front of the buffer. They become one HTTP chunk.
    case bytes(Int)
    /// Nothing yet: `HTTPExchange.resume` when there is.
    case pending
    /// The body is complete.
    case end
    /// The body cannot be completed: the connection closes, so that the client sees a truncated response.
    case cut
}

/// Gives the body of a streamed response, piece by piece. Backpressure is that it is asked only when the client has
/// taken what came before: a source needs no queue of its own.
package protocol HTTPBodySource: AnyObject {
    /// Writes the next bytes to `buffer`, some tens of KiB. Called on the loop.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> HTTPBodyPart
}
