internal import Generation

/// Why a source gave no token.
struct AuthFailure: Error {
    var error: GenerationError
    /// Whether nothing on this machine says how to get one, as opposed to a try that failed.
    var isUnconfigured = false
}
