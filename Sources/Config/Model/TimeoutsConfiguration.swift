/// A `timeouts` map: how long each phase of an upstream call may take, in seconds.
public struct TimeoutsConfiguration: Sendable, Equatable {
    /// Making the connection, TLS included.
    public var connect: Double = 5
    /// From the request to the first byte of the response's content.
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
            "connect", \.connect, .seconds(isAbove: true), unit: "seconds",
            "Establishing a connection, including TLS."),
        Key(
            "first_token", \.firstToken, .seconds(isAbove: true), unit: "seconds",
            "From the request to the first byte of the response's content."),
        Key(
            "idle", \.idle, .seconds(isAbove: true), unit: "seconds", "Time between two parts of a response."),
        Key(
            "total", \.total, .seconds(isAbove: true), unit: "seconds", "The whole upstream request."),
    ]
}
