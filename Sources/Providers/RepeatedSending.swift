public import Generation

/// A sending of an attempt's request that came to nothing and that the same attempt repeated: the retry policy does not
/// count it. There are two reasons: the re-used connection was lost at once (`HTTPTransfer.resend`), or the provider
/// rejected the token with status 401 and there was a newer one to get.
public struct RepeatedSending: Sendable {
    /// The HTTP status; 0 where the connection was lost.
    public let httpStatus: Int
    /// What became of it.
    public let error: GenerationError
    /// How long it took, in microseconds.
    public let microseconds: Int64
}
