internal import EventLoop

/// How a call's answer reaches its caller: what one wire does otherwise than another, and nothing else. A handler sees
/// the `Call` alone and cannot tell which wire that is on.
///
/// The wire knows a call by its `streamID`. Each of the three ends comes once and last; the call has let go of its
/// resources by then, and the wire forgets its stream with it. Called on the call's loop only.
protocol CallWire: AnyObject {
    /// Whether one message of `size` bytes fits with whatever the wire puts around it.
    /// - Parameter isLast: whether it is the only message of a unary call.
    func fits(_ size: Int, isLast: Bool) -> Bool
    /// Sends one message of a stream, which `fill` writes, and says whether more may follow now. Where not, the wire calls
    /// `Call.resume` when it may.
    func send(_ size: Int, on call: Call, _ fill: (UnsafeMutableRawPointer) -> Void) -> Demand
    /// Ends a unary call well, with its message.
    func respond(_ size: Int, on call: Call, _ fill: (UnsafeMutableRawPointer) -> Void)
    /// Ends a stream well.
    func finish(_ call: Call)
    /// Ends a call with an error.
    func fail(_ call: Call, _ status: Status)
}

/// The connection that a call came over, as far as the call needs it: the same for every wire.
protocol CallSession: AnyObject {
    /// The loop's part of the server.
    var context: ServerLoop { get }
    /// Who is at the other end.
    var peer: PeerIdentity { get }
    /// Whether the connection itself has shown who it is.
    var mayCall: Bool { get }
    /// Takes a token for the whole connection; returns the caller.
    /// - Throws: `Failure` for a wrong token or where there is no place for another known caller; the connection is to be
    ///   closed then.
    func authenticate(token: String) throws(Failure) -> String
    /// Counts more memory for requests in progress, or less; returns why there is no room for it. It counts all the same.
    @discardableResult
    func hold(more bytes: Int) -> Failure?
    /// Reads no more, and closes when what waits has been sent.
    func closeAfterFlush()
}
