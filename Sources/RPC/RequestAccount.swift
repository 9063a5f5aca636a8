internal import Limits

/// The memory of one connection's requests, also counted in the server's budget: the requests of calls in progress
/// and the buffered part of an incomplete frame.
struct RequestAccount {
    private let server: ServerCore
    /// Bytes held by calls in progress.
    private var callBytes = 0
    /// Buffered bytes of the incomplete frame.
    private var partialBytes = 0

    init(_ server: ServerCore) { self.server = server }

    /// Adds `bytes`, which may be negative, for calls in progress. Returns a failure if that exceeds a limit.
    mutating func add(_ bytes: Int) -> Failure? {
        callBytes += bytes
        let total = server.budget.add(bytes)
        return bytes > 0 ? overload(callBytes, total) : nil
    }

    /// Returns a failure if a call of `bytes` more would exceed a limit; counts nothing.
    func overload(adding bytes: Int) -> Failure? { overload(callBytes + bytes, server.budget.bytes + bytes) }

    /// Sets the buffered bytes of the incomplete frame. Returns a failure if that exceeds a limit.
    mutating func setPartial(_ bytes: Int) -> Failure? {
        guard bytes != partialBytes else { return nil }
        let total = server.budget.add(bytes - partialBytes)
        partialBytes = bytes
        return overload(callBytes + bytes, total)
    }

    /// Stops counting the frame because it is complete or was dropped.
    mutating func releasePartial() {
        guard partialBytes > 0 else { return }
        server.budget.add(-partialBytes)
        partialBytes = 0
    }

    private func overload(_ here: Int, _ total: Int) -> Failure? {
        let limits = server.limits
        if here > limits.maxRequestBytesPerConnection {
            return Failure(
                .busy,
                "requests in progress on this connection hold more than \(limits.maxRequestBytesPerConnection) "
                    + "bytes of memory; wait for some of them to end")
        }
        if total > limits.maxRequestBytes {
            return Failure(
                .busy,
                "requests in progress on this server hold more than \(limits.maxRequestBytes) bytes of memory; retry "
                    + "later")
        }
        return nil
    }
}
