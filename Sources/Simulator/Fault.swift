/// A way in which a vendor goes wrong.
public enum Fault: Sendable, Equatable {
    /// Milliseconds before the first byte.
    case delay(Int)
    /// Accepts and says nothing.
    case neverAnswer
    /// So many pieces of a stream, then silence.
    case stallAfter(Int)
    /// So many pieces of a stream, half of the next, then a closed connection.
    case cutAfter(Int)
    /// Half of a whole answer, then a closed connection.
    case cutUnary
    /// Random bytes with a good status.
    case garbage
    /// A malformed event after two good ones.
    case garbageEvent
    /// An error inside the stream after two good events.
    case errorEvent
    /// A stream without its end.
    case noDone
    /// An error status with the vendor's body.
    case status(Int)
    /// A proxy's HTML page with status 502.
    case html
    /// A web page with a good status.
    case html200
    /// Nothing with a good status.
    case empty200
    /// An error body with a good status.
    case error200
    /// A stream's line of so many megabytes.
    case hugeLine(Int)
    /// A whole answer of so many megabytes.
    case hugeBody(Int)
    /// A byte every so many milliseconds.
    case slowDrip(Int)
    /// Closes the connection instead of answering.
    case closeBeforeAnswer
    /// Status 503 for the first so many requests.
    case refuseTimes(Int)

    /// What can be asked for, for help texts.
    public static let names =
        "delay=MS never-answer stall-after=N cut-after=N cut-unary garbage garbage-event error-event no-done status=NNN "
        + "html html-200 empty-200 error-200 huge-line=MB huge-body=MB slow-drip=MS close-before-answer refuse-times=N"

    /// Reads one fault, such as `stall-after=3`.
    public init?(_ text: String) {
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

    /// Reads faults between commas; what is not one is left out.
    static func list(_ text: some StringProtocol) -> [Fault] {
        text.split(separator: ",").compactMap { Fault(String($0)) }
    }
}
