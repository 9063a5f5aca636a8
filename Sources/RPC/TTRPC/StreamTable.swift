/// The streams of one ttrpc connection on the server side: which frames are valid when, and what they mean. A value
/// without sockets, calls or clocks. The error texts match those of containerd's server, which clients may know.
///
///     request ──▶ known by its id ──insert──▶ active ──remove──▶ forgotten
///                     └── never inserted, because the call was refused ──▶ forgotten
///
/// Ids are odd and increase, so ended streams need only the last id. There is no half-closed state: no method accepts
/// more than its request, so every stream is half-closed, whether its client has sent the close flag or not.
struct StreamTable<Stream> {
    /// A frame that violates the rules of the connection. The server responds with an error, and closes the connection
    /// after `ServerLimits.maxProtocolErrors` of them.
    enum Violation: Equatable {
        /// The id is even; even ids are reserved for servers.
        case evenID
        /// A request's id is not greater than all earlier ids.
        case reusedID
        /// Data for a stream that was never opened, was refused, or has ended.
        case inactive

        var message: String {
            switch self {
            case .evenID: "StreamID must be odd for client initiated streams"
            case .reusedID: "StreamID cannot be re-used and must increment"
            case .inactive: "StreamID is no longer active"
            }
        }
    }

    /// The meaning of a frame.
    enum Step {
        /// A request. The stream becomes active with `insert`.
        case request
        /// The peer sends no more data, the only valid frame after a request.
        case close
        /// Data on a stream that accepts none: the call ends, the connection stays open.
        case unexpectedData(Stream)
        /// An unknown frame type, ignored for forward compatibility.
        case ignored
        case violation(Violation)
    }

    private struct Entry {
        let stream: Stream
        let isServerStreaming: Bool
    }

    private var entries: [UInt32: Entry] = [:]
    private var lastID: UInt32 = 0
    /// The number of frames that violated the rules of the connection.
    private(set) var violationCount = 0

    /// The number of active streams.
    var count: Int { entries.count }
    /// The active streams, in no particular order.
    var streams: [Stream] { entries.values.map(\.stream) }

    /// Processes a frame's header. The frame's data is irrelevant here.
    mutating func receive(_ header: FrameHeader) -> Step {
        guard header.streamID % 2 == 1 else { return violation(.evenID) }
        switch header.kind {
        case FrameHeader.Kind.request:
            guard header.streamID > lastID else { return violation(.reusedID) }
            lastID = header.streamID
            return .request
        case FrameHeader.Kind.data:
            return receiveData(header)
        default:
            return .ignored
        }
    }

    /// No method accepts more than its request, so only the close flag may follow on a stream. Clients send it in the
    /// request, in a separate frame, or in both.
    private mutating func receiveData(_ header: FrameHeader) -> Step {
        guard let entry = entries[header.streamID] else { return violation(.inactive) }
        let closes = header.flags & FrameHeader.Flags.remoteClosed != 0
        guard entry.isServerStreaming, closes, header.length == 0 else { return .unexpectedData(entry.stream) }
        return .close
    }

    private mutating func violation(_ violation: Violation) -> Step {
        violationCount += 1
        return .violation(violation)
    }

    /// Adds the stream of the last request as active.
    mutating func insert(_ stream: Stream, id: UInt32, isServerStreaming: Bool) {
        entries[id] = Entry(stream: stream, isServerStreaming: isServerStreaming)
    }

    /// Removes a stream that has ended.
    mutating func remove(_ id: UInt32) { entries[id] = nil }
}
