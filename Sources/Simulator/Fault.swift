/// A simulated fault of a vendor. The associated values are milliseconds, counts, statuses or megabytes, as noted.
package enum Fault: Sendable, Equatable {
    /// Delays the first byte by this many milliseconds.
    case delay(Int)
    /// Accepts the request and never responds.
    case neverAnswer
    /// Sends this many pieces of a stream, then nothing more.
    case stallAfter(Int)
    /// Sends this many pieces of a stream and half of the next one, then closes the connection.
    case cutAfter(Int)
    /// Sends half of a unary response, then closes the connection.
    case cutUnary
    /// Sends random bytes with status 200.
    case garbage
    /// A malformed event after two valid ones.
    case garbageEvent
    /// An error inside the stream after two valid events.
    case errorEvent
    /// A stream without its end.
    case noDone
    /// An error status with the vendor's body.
    case status(Int)
    /// A proxy's HTML page with status 502.
    case html
    /// A web page with status 200.
    case html200
    /// An empty body with status 200.
    case empty200
    /// An error body with status 200.
    case error200
    /// A line of this many megabytes in a stream.
    case hugeLine(Int)
    /// A unary response of this many megabytes.
    case hugeBody(Int)
    /// Sends one byte per this many milliseconds.
    case slowDrip(Int)
    /// Closes the connection without a response.
    case closeBeforeAnswer
    /// Responds to this many requests with status 503, then normally.
    case refuseTimes(Int)

    /// The syntax of all faults, for help texts.
    package static let names =
        "delay=MS never-answer stall-after=N cut-after=N cut-unary garbage garbage-event error-event no-done status=NNN "
        + "html html-200 empty-200 error-200 huge-line=MB huge-body=MB slow-drip=MS close-before-answer refuse-times=N"

    /// Parses one fault, for example `stall-after=3`.
    package init?(_ text: String) {
        let parts = text.split(separator: "=", maxSplits: 1)
        let number = parts.count == 2 ? Int(parts[1]) : nil
        switch (parts.first.map(String.init) ?? "", number) {
        case ("delay", let value?): self = .delay(value)
        case ("never-answer", _): self = .neverAnswer
        case ("stall-after", let value?): self = .stallAfter(value)
        case ("cut-after", let value?): self = .cutAfter(value)
        case ("cut-unary", _): self = .cutUnary
        case ("garbage", _): self = .garbage
        case ("garbage-event", _): self = .garbageEvent
        case ("error-event", _): self = .errorEvent
        case ("no-done", _): self = .noDone
        case ("status", let value?) where (200...599).contains(value): self = .status(value)
        case ("html", _): self = .html
        case ("html-200", _): self = .html200
        case ("empty-200", _): self = .empty200
        case ("error-200", _): self = .error200
        case ("huge-line", let value?): self = .hugeLine(value)
        case ("huge-body", let value?): self = .hugeBody(value)
        case ("slow-drip", let value?): self = .slowDrip(value)
        case ("close-before-answer", _): self = .closeBeforeAnswer
        case ("refuse-times", let value?): self = .refuseTimes(value)
        default: return nil
        }
    }

    /// Parses a comma-separated list of faults; unknown ones are ignored.
    static func list(_ text: some StringProtocol) -> [Fault] {
        text.split(separator: ",").compactMap { Fault(String($0)) }
    }
}
