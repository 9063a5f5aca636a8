internal import JSON

/// A response: pieces, each preceded by a delay, and the way in which the response ends.
struct SimulatedAnswer {
    struct Piece {
        var bytes: [UInt8]
        var delayMilliseconds = 0
    }

    enum End {
        /// A complete response.
        case good
        /// The connection closes before the end.
        case cut
        /// Nothing more is sent until the client disconnects.
        case stall
        /// The connection closes before anything was sent.
        case close
    }

    var status = 200
    var headers: [(name: String, value: String)] = []
    var pieces: [Piece] = []
    var end = End.good
    /// Whether the body is sent in chunks instead of with a `Content-Length`.
    var isStream = false

    /// One JSON body.
    static func json(_ value: JSONValue, status: Int = 200) -> SimulatedAnswer {
        SimulatedAnswer(
            status: status, headers: [("content-type", "application/json")],
            pieces: [Piece(bytes: Array(value.text.utf8))])
    }

    /// Server-sent events, one piece per event.
    static func events(_ events: [String], intervalMilliseconds: Int) -> SimulatedAnswer {
        SimulatedAnswer(
            headers: [("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache")],
            pieces: events.enumerated().map { index, event in
                Piece(bytes: Array(event.utf8), delayMilliseconds: index == 0 ? 0 : intervalMilliseconds)
            },
            isStream: true)
    }

    /// Splits the whole body into new pieces, with a delay between the pieces of a stream.
    mutating func slice(_ slicing: Slicing, intervalMilliseconds: Int = 0) {
        guard slicing != .whole else { return }
        let body = pieces.flatMap(\.bytes)
        var sliced: [Piece] = []
        var position = 0
        while position < body.count {
            let wanted = if case .bytes(let count) = slicing { count } else { Int.random(in: 1...40) }
            let end = min(position + wanted, body.count)
            sliced.append(
                Piece(
                    bytes: Array(body[position..<end]),
                    delayMilliseconds: isStream && position > 0 ? intervalMilliseconds : 0))
            position = end
        }
        pieces = sliced
        // A body with a length would be sent in one piece.
        isStream = true
    }

    /// Applies faults to the response.
    mutating func apply(_ faults: [Fault], dialect: any SimulatedDialect) {
        for fault in faults {
            switch fault {
            case .delay(let milliseconds):
                if pieces.isEmpty { pieces = [Piece(bytes: [])] }
                pieces[0].delayMilliseconds += milliseconds
            case .neverAnswer:
                pieces = []
                end = .stall
                isStream = true
            case .stallAfter(let count):
                pieces = Array(pieces.prefix(count))
                end = .stall
                isStream = true
            case .cutAfter(let count): cut(after: count)
            case .cutUnary:
                if !isStream { cut(after: 0) }
            case .garbage:
                replaceBody((0..<200).map { _ in UInt8.random(in: 0...255) })
            case .garbageEvent: insert("data: {\"choices\": [{\"delta\": {\"content\": \n\n")
            case .errorEvent: insert(dialect.errorEvent)
            case .noDone: if isStream { pieces = Array(pieces.dropLast(3)) }
            case .status(let code): self = dialect.error(status: code)
            case .html:
                status = 502
                headers = [("content-type", "text/html")]
                replaceBody(Array("<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>".utf8))
            case .html200:
                headers = [("content-type", "text/html")]
                replaceBody(Array("<html><body>Please log in to the <b>network</b></body></html>".utf8))
            case .empty200: replaceBody([])
            case .error200:
                var error = dialect.error(status: 500)
                error.status = 200
                self = error
            case .hugeLine(let megabytes):
                let filler = [UInt8](repeating: UInt8(ascii: "x"), count: megabytes << 20)
                pieces.insert(
                    Piece(bytes: Array("data: \"".utf8) + filler + Array("\"\n\n".utf8)), at: min(2, pieces.count))
            case .hugeBody(let megabytes):
                replaceBody(
                    Array(
                        "{\"choices\":[{\"index\":0,\"finish_reason\":\"stop\",\"message\":{\"role\":\"assistant\",\"content\":\""
                            .utf8)
                        + [UInt8](repeating: UInt8(ascii: "x"), count: megabytes << 20) + Array("\"}}]}".utf8))
            case .slowDrip(let milliseconds):
                slice(.bytes(1))
                for index in pieces.indices { pieces[index].delayMilliseconds = milliseconds }
            case .closeBeforeAnswer: end = .close
            case .refuseTimes: break  // counted by the server
            }
        }
    }

    private mutating func cut(after count: Int) {
        guard count < pieces.count else {
            end = .cut
            return
        }
        var half = pieces[count]
        half.bytes = Array(half.bytes.prefix(half.bytes.count / 2))
        pieces = pieces.prefix(count) + [half]
        end = .cut
        isStream = true
    }

    private mutating func replaceBody(_ bytes: [UInt8]) {
        let delay = pieces.first?.delayMilliseconds ?? 0
        pieces = [Piece(bytes: bytes, delayMilliseconds: delay)]
        isStream = false
    }

    private mutating func insert(_ event: String) {
        guard isStream else { return replaceBody(Array(event.utf8)) }
        pieces = Array(pieces.prefix(2)) + [Piece(bytes: Array(event.utf8))]
    }
}

/// One vendor's HTTP API. To add one, write a new file and add a line to `SimulatorServer.dialects`.
protocol SimulatedDialect: Sendable {
    /// Whether this dialect serves a request, by its path and headers.
    func serves(_ request: SimulatedRequest) -> Bool
    /// The vendor's response, or its error for an invalid request.
    func answer(_ request: SimulatedRequest, _ options: SimulatorOptions) -> SimulatedAnswer
    /// The vendor's error for an HTTP status.
    func error(status: Int) -> SimulatedAnswer
    /// The vendor's error event in a stream.
    var errorEvent: String { get }
}
