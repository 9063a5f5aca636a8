internal import Auth
package import Generation
package import Providers

/// The state of one model's credential: the result of a probe of the provider, and the state of its token.
package struct CredentialVerdict: Sendable, Equatable {
    /// Whether the probe succeeded.
    package var isValid: Bool
    /// Never `pending` or `unknown`.
    package var status: CredentialStatus
    /// The problem and its remedy; empty if there is none.
    package var detail: String
    /// Seconds until the token expires; `nil` if it does not expire or the expiry is unknown.
    package var expiresInSeconds: Int64?
    /// The error of the last attempt to obtain a token; empty if it succeeded.
    package var lastError = ""
    /// Seconds since the token was fetched; `nil` for a fixed key.
    package var secondsSinceRefresh: Int64?

    /// The verdict for a model that was probed.
    /// - Parameter error: the probe's error; `nil` if it succeeded.
    package init(_ model: ConfiguredModel, probe error: GenerationError?) {
        let state = model.credential?.state
        isValid = error == nil
        status =
            switch (error, state?.status) {
            case (nil, .expiring): .expiring
            case (nil, .stale): .stale
            // The probe succeeded, so the token was usable, even if its state has changed since.
            case (nil, _): .healthy
            case (_, .unconfigured): .unconfigured
            default: .failed
            }
        lastError = state?.lastError ?? ""
        detail = error?.message ?? lastError
        expiresInSeconds = state?.expiresInSeconds.map { Int64($0) }
        secondsSinceRefresh = state?.secondsSinceRefresh.map { Int64($0) }
    }

    /// The verdict for a model without a usable credential.
    package init(unconfigured reason: String) {
        isValid = false
        status = .unconfigured
        detail = reason
    }
}
