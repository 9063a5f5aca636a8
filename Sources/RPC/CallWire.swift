internal import EventLoop

/// Sends the responses of calls over one protocol: only what differs between protocols. A handler sees only the `Call`
/// and does not know its wire.
///
/// The wire identifies a call by its `streamID`. A call ends with exactly one of `respond`, `finish` and `fail`, as its
/// last operation; it has released its resources by then, and the wire removes its stream. Called on the call's loop.
protocol CallWire: AnyObject {
    /// Whether a message of `size` bytes, including what the wire adds to it, is within the size limit.
    /// - Parameter isLast: whether it is the only message of a unary call.
    func fits(_ size: Int, isLast: Bool) -> Bool
    /// Sends one message of a stream, which `fill` writes. Returns whether more may follow now; after `.pause`, the
    /// wire calls `Call.resume` when it accepts messages again.
    func send(_ size: Int, on call: Call, _ fill: (UnsafeMutableRawPointer) -> Void) -> Demand
    /// Ends a unary call successfully with its only message, which `fill` writes.
    func respond(_ size: Int, on call: Call, _ fill: (UnsafeMutableRawPointer) -> Void)
    /// Ends a stream successfully.
    func finish(_ call: Call)
    /// Ends a call with an error status.
    func fail(_ call: Call, _ status: Status)
}

/// The part of a connection that its calls use, independent of the wire.
protocol CallSession: AnyObject {
    /// The part of the server on the call's loop.
    var context: ServerLoop { get }
    /// The process or host at the other end.
    var peer: PeerIdentity { get }
    /// Whether the connection itself is authenticated.
    var mayCall: Bool { get }
    /// Authenticates the whole connection with a token; returns the caller's name.
    /// - Throws: `Failure` if the token is invalid or the limit of known callers' connections is reached; the
    ///   connection must then be closed.
    func authenticate(token: String) throws(Failure) -> String
    /// Adds `bytes`, which may be negative, to the memory of the requests in progress. Returns a failure if that
    /// exceeds a limit; the bytes are counted nevertheless.
    @discardableResult
    func hold(more bytes: Int) -> Failure?
    /// Stops reading, and closes once the waiting output has been sent.
    func closeAfterFlush()
}
