package import Generation

/// A failed sending that the same attempt repeated; the retry policy does not count it. There are three reasons: a
/// reused connection was lost at once (`HTTPTransfer.resend`), the provider rejected the token with 401 and a newer one
/// was available, or it refused the thinking blocks of earlier responses, which are then left out.
package struct RepeatedSending: Sendable {
    /// The HTTP status; 0 if the connection was lost.
    package let httpStatus: Int
    /// Why it failed.
    package let error: GenerationError
    /// How long it took, in microseconds.
    package let microseconds: Int64
}
