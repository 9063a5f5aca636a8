internal import Limits

/// Memory of one connection's requests, counted in the server's budget too: those of calls in progress, and what is kept
/// of a frame that has begun.
struct RequestAccount {
    private let server: ServerCore
    /// Bytes of the calls in progress.
    private var callBytes = 0
    /// Bytes of the frame that has begun.
    private var partialBytes = 0

    init(_ server: ServerCore) { self.server = server }

    /// Counts more for calls in progress, or less; returns why there is no room for it.
    mutating func add(_ bytes: Int) -> Failure? {
        callBytes += bytes
        let total = server.budget.add(bytes)
        return bytes > 0 ? overload(callBytes, total) : nil
    }

    /// Why there is no room for a call of so many bytes; `nil` where there is.
    func overload(adding bytes: Int) -> Failure? { overload(callBytes + bytes, server.budget.bytes + bytes) }

    /// Counts what is kept of a frame that has begun; returns why there is no room for it.
    mutating func setPartial(_ bytes: Int) -> Failure? {
        guard bytes != partialBytes else { return nil }
        let total = server.budget.add(bytes - partialBytes)
        partialBytes = bytes
        return overload(callBytes + bytes, total)
    }

    /// The frame has ended, or is given up.
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
                "the requests in progress on this connection hold more than \(limits.maxRequestBytesPerConnection) bytes "
                    + "of memory; wait for some to end")
        }
        if total > limits.maxRequestBytes {
            return Failure(
                .busy,
                "the requests in progress on this server hold more than \(limits.maxRequestBytes) bytes of memory; try again "
                    + "later")
        }
        return nil
    }
}
