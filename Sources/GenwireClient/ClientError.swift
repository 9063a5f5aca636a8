public import Generation

/// Why a call failed, as its caller sees it.
public struct ClientError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The gRPC status code; 14 where no server was reached.
    public let code: Int32
    /// What happened and what to do.
    public let message: String
    /// What the server's gateway said about it, where it came that far.
    public let detail: GenerationError?
    /// No server listens at the address.
    public let isUnreachable: Bool

    init(code: Int32, message: String, detail: GenerationError? = nil, isUnreachable: Bool = false) {
        self.code = code
        self.message = message
        self.detail = detail
        self.isUnreachable = isUnreachable
    }

    /// The message, with the kind of failure where it is known.
    public var description: String { detail.map { "\($0.kind.rawValue): \(message)" } ?? message }
}
