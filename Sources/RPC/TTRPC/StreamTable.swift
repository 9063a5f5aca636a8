/// The streams of one ttrpc connection, as its server sees them: which frame may come when, and what it means. A value
/// without sockets, calls or clocks; the wording follows containerd's own server, so that stock clients see what they know.
///
///     request ──▶ known by its id ──insert──▶ active ──remove──▶ forgotten
///                     └── never inserted, because the call was refused ──▶ forgotten
///
/// Ids are odd and increase, so that a number is all that is kept of streams that have ended. Half-closed is no state of
/// its own: no method takes more than its request, so that every stream is, whether its client has said so or not.
struct StreamTable<Stream> {
    /// A frame that breaks the rules of the connection. It is answered; after many of them the connection ends.
    enum Violation: Equatable {
        /// Even ids are the server's to use.
        case evenID
        /// A request's id is not above all before it.
        case reusedID
        /// Data for a stream that never was, was refused, or has ended.
        case inactive

        var message: String {
            switch self {
            case .evenID: "StreamID must be odd for client initiated streams"
            case .reusedID: "StreamID cannot be re-used and must increment"
            case .inactive: "StreamID is no longer active"
            }
        }
    }

    /// What a frame means.
    enum Step {
        /// A request. The stream exists once it is inserted.
        case request
        /// The peer says that it sends no more, which is all that it may say on a stream.
        case close
        /// Data on a stream that takes none: this call ends, the connection goes on.
        case unexpectedData(Stream)
        /// An unknown type, for what the protocol may become.
        case ignored
        case violation(Violation)
    }

    private struct Entry {
        let stream: Stream
        let isServerStreaming: Bool
    }

    private var entries: [UInt32: Entry] = [:]
    private var lastID: UInt32 = 0
    /// Frames that broke the rules of the connection.
    private(set) var violationCount = 0

    /// Active streams.
    var count: Int { entries.count }
    /// Those streams, in no order.
    var streams: [Stream] { entries.values.map(\.stream) }

    /// Takes a frame's header; the data behind it changes nothing here.
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

    /// No method takes more than its request; all that may follow on a stream is the word that nothing follows. Clients
    /// say it in the request, in frames of their own, or in both.
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

    /// Makes the stream of the last request active.
    mutating func insert(_ stream: Stream, id: UInt32, isServerStreaming: Bool) {
        entries[id] = Entry(stream: stream, isServerStreaming: isServerStreaming)
    }

    /// Forgets a stream that has ended.
    mutating func remove(_ id: UInt32) { entries[id] = nil }
}
