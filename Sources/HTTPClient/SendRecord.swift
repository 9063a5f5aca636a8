internal import EventLoop

/// The first sending of a request that was sent again, because its connection was lost at once.
package struct HTTPResend: Sendable, Equatable {
    /// How the first sending failed.
    package let error: HTTPError
    /// Time from the first sending to the loss of its connection, in microseconds.
    package let microseconds: Int64
}

/// Decides whether a request may be sent a second time. A state machine without a clock.
///
/// A server may close an idle connection at any time. If its FIN crosses the next request, the server's kernel answers
/// the request with a reset and never acknowledges it, so the server cannot have read it. A server that read the
/// request and then closed the connection has acknowledged it. A request is therefore sent again only if all of these
/// hold: the connection was re-used; no byte of the response arrived; the connection was reset or the request was not
/// acknowledged completely; and the connection was lost within a round trip plus `window` after sending, since a server
/// can also reset a connection whose request it has read. A request is sent again at most once, on a new connection.
struct SendRecord {
    enum Verdict: Equatable {
        case send
        /// The server may have processed the request.
        case refuse(HTTPError)
        /// This is another re-used connection, which may be stale as well.
        case needsNewConnection
    }

    /// Allowance in addition to a round trip. Too short for the peer to have processed the request.
    static let defaultWindow = TimeAmount.milliseconds(5)

    private let window: TimeAmount
    private var sentAt: Instant?
    private var connectionCount = 0
    private var lostAt: Instant?
    private var roundTrip = TimeAmount.zero
    private var wasDelivered = false
    /// Set once the request was sent again.
    private(set) var resend: HTTPResend?

    init(window: TimeAmount) { self.window = window }

    var wasSent: Bool { sentAt != nil }
    /// Whether the request was sent and its connection is not known to be lost.
    var isUnderWay: Bool { sentAt != nil && lostAt == nil }

    /// A connection of the transfer is about to close. The first one after a sending is that sending's.
    /// - Parameters:
    ///   - roundTrip: the kernel's minimum round-trip time of the connection.
    ///   - wasDelivered: whether the peer has acknowledged all bytes sent and has not reset the connection.
    mutating func connectionCloses(now: Instant, roundTrip: TimeAmount, wasDelivered: Bool) {
        guard isUnderWay else { return }
        lostAt = now
        self.roundTrip = roundTrip
        self.wasDelivered = wasDelivered
    }

    /// The error if the request must not be sent again after the loss of its connection; `nil` if it may.
    mutating func refusal(now: Instant) -> HTTPError? {
        guard let sentAt else { return nil }
        connectionCloses(now: now, roundTrip: .zero, wasDelivered: true)
        let elapsed = (lostAt ?? now) - sentAt
        guard resend == nil else {
            return HTTPError(.interrupted, "the server closed two connections in a row without responding")
        }
        guard !wasDelivered, elapsed <= window + roundTrip else {
            return HTTPError(
                .interrupted,
                "the server closed the connection without responding, \(elapsed.milliseconds) ms after the request; the "
                    + "request was not sent again, because the server may have processed it")
        }
        return nil
    }

    /// The request is about to be written to a connection.
    /// - Parameters:
    ///   - connectionCount: the number of connections made for the transfer so far.
    ///   - loss: libcurl's message about the loss of the previous connection; empty if there is none.
    mutating func willSend(now: Instant, connectionCount: Int, loss: String) -> Verdict {
        if let sentAt {
            if let refusal = refusal(now: now) { return .refuse(refusal) }
            guard connectionCount > self.connectionCount else { return .needsNewConnection }
            let reason = loss.isEmpty ? "the server closed the connection" : loss
            resend = HTTPResend(
                error: HTTPError(.interrupted, "\(reason) before responding; the request was sent again"),
                microseconds: ((lostAt ?? now) - sentAt).microseconds)
        }
        sentAt = now
        lostAt = nil
        roundTrip = .zero
        wasDelivered = false
        self.connectionCount = connectionCount
        return .send
    }

    /// libcurl starts the transfer over and counts its connections from 0.
    mutating func restarts() { connectionCount = 0 }
}
