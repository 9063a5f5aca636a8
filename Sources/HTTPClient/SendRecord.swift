/// A request that was sent again, because the connection of its first sending was lost at once.
public struct HTTPResend: Sendable, Equatable {
    /// What became of the first sending.
    public let error: HTTPError
    /// From the first sending to the loss of its connection, in microseconds.
    public let microseconds: Int64
}

/// Whether a request may be sent a second time: a state machine without a clock. `now` is CLOCK_MONOTONIC in
/// nanoseconds.
///
/// A server closes an idle connection without notice. Where its FIN crosses the next request on the way, the server's
/// kernel answers the request with a reset and never acknowledges it: nobody can have read it. A server that read the
/// request and closed has acknowledged it. So a second sending needs all of these: the connection was a re-used one, not
/// a byte of an answer came, the request was reset or not acknowledged as a whole, and the loss came within a round trip
/// and `window` of the sending, since a server can also reset what it has read. There is one second sending at most, on a
/// new connection.
struct SendRecord {
    enum Verdict: Equatable {
        case send
        /// The request may have been acted on.
        case refuse(HTTPError)
        /// Not on this connection, which is an old one like the one that was lost.
        case needsNewConnection
    }

    /// What a peer may take beside a round trip, in nanoseconds. Too short to have worked on the request.
    static let defaultWindow: UInt64 = 5_000_000

    private let window: UInt64
    private var sentAt: UInt64?
    private var connectionCount = 0
    private var lostAt: UInt64?
    private var roundTrip: UInt64 = 0
    private var wasDelivered = false
    /// The second sending, once there was one.
    private(set) var resend: HTTPResend?

    init(window: UInt64) { self.window = window }

    var wasSent: Bool { sentAt != nil }
    /// Whether the request is under way and its connection still there, as far as is known.
    var isUnderWay: Bool { sentAt != nil && lostAt == nil }

    /// A connection of the transfer closes. The first one after a sending was the sending's.
    /// - Parameters:
    ///   - roundTrip: the shortest that the kernel has seen on it, in nanoseconds.
    ///   - wasDelivered: whether the peer has acknowledged all that was sent, and has not reset the connection.
    mutating func connectionCloses(now: UInt64, roundTrip: UInt64, wasDelivered: Bool) {
        guard isUnderWay else { return }
        lostAt = now
        self.roundTrip = roundTrip
        self.wasDelivered = wasDelivered
    }

    /// Why the request may not be sent again, given that its connection is lost; `nil` where it may.
    mutating func refusal(now: UInt64) -> HTTPError? {
        guard let sentAt else { return nil }
        connectionCloses(now: now, roundTrip: 0, wasDelivered: true)
        let elapsed = (lostAt ?? now) - min(sentAt, lostAt ?? now)
        guard resend == nil else {
            return HTTPError(.interrupted, "the server closed two connections in a row without an answer")
        }
        guard !wasDelivered, elapsed <= window + roundTrip else {
            return HTTPError(
                .interrupted,
                "the server closed the connection without an answer, \(elapsed / 1_000_000) ms after the request; the "
                    + "request was not sent again, since the server may have acted on it")
        }
        return nil
    }

    /// The request is about to be written to a connection.
    /// - Parameters:
    ///   - connectionCount: how many connections were made for the transfer so far.
    ///   - loss: libcurl's words for the loss of the connection before, if there are any.
    mutating func willSend(now: UInt64, connectionCount: Int, loss: String) -> Verdict {
        if let sentAt {
            if let refusal = refusal(now: now) { return .refuse(refusal) }
            guard connectionCount > self.connectionCount else { return .needsNewConnection }
            let words = loss.isEmpty ? "the server closed the connection" : loss
            resend = HTTPResend(
                error: HTTPError(.interrupted, "\(words) before it answered; the request was sent again"),
                microseconds: Int64(clamping: ((lostAt ?? now) - min(sentAt, lostAt ?? now)) / 1000))
        }
        sentAt = now
        lostAt = nil
        roundTrip = 0
        wasDelivered = false
        self.connectionCount = connectionCount
        return .send
    }

    /// libcurl begins anew and counts its connections from 0.
    mutating func restarts() { connectionCount = 0 }
}
