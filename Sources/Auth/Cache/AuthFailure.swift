internal import Generation

/// Why a `TokenSource` returned no token.
struct AuthFailure: Error {
    var error: GenerationError
    /// Whether no credentials were found on this machine, as opposed to a failed attempt to use them.
    var isUnconfigured = false
}
