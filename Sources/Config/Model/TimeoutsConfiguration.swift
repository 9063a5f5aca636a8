/// A `timeouts` map: how long each phase of an upstream call may take, in seconds.
public struct TimeoutsConfiguration: Sendable, Equatable {
    /// Making the connection, TLS included.
    public var connect: Double = 5
    /// From the request to the first byte of the answer's content.
    public var firstToken: Double = 60
    /// Silence between two pieces.
    public var idle: Double = 60
    /// The call as a whole.
    public var total: Double = 600

    /// The defaults.
    public init() {}
}

extension TimeoutsConfiguration: Keyed {
    static let standard = TimeoutsConfiguration()

    static let keys: [Key<TimeoutsConfiguration>] = [
        Key(
            "connect", \.connect, .seconds(isAbove: true), unit: "seconds", "Making a connection, TLS included."),
        Key(
            "first_token", \.firstToken, .seconds(isAbove: true), unit: "seconds",
            "From the request to the first byte of the answer's content."),
        Key("idle", \.idle, .seconds(isAbove: true), unit: "seconds", "Silence between two pieces of an answer."),
        Key("total", \.total, .seconds(isAbove: true), unit: "seconds", "One upstream request as a whole."),
    ]
}
