internal import Auth
public import Generation
public import Providers

/// What is known of one model's credential: what the provider said of it just now, and how its token is doing.
public struct CredentialVerdict: Sendable, Equatable {
    /// Whether a call would get through.
    public var isValid: Bool
    /// Never `pending` or `unknown`.
    public var status: CredentialStatus
    /// What is wrong and what to do; empty where nothing is.
    public var detail: String
    /// Seconds until the token expires; `nil` where it does not or nobody knows.
    public var expiresInSeconds: Int64?
    /// What the last try to get a token ended with, where it failed.
    public var lastError = ""
    /// Seconds since the token was fetched; `nil` for a fixed one.
    public var secondsSinceRefresh: Int64?

    /// The verdict over a model that was asked for with a call that costs nothing.
    public init(_ model: ConfiguredModel, probe error: GenerationError?) {
        let state = model.credential?.state
        isValid = error == nil
        status =
            switch (error, state?.status) {
            case (nil, .expiring): .expiring
            case (nil, .stale): .stale
            // There was a token just now, whatever it is called a moment later.
            case (nil, _): .healthy
            case (_, .unconfigured): .unconfigured
            default: .failed
            }
        lastError = state?.lastError ?? ""
        detail = error?.message ?? lastError
        expiresInSeconds = state?.expiresInSeconds.map { Int64($0) }
        secondsSinceRefresh = state?.secondsSinceRefresh.map { Int64($0) }
    }

    /// The verdict over a model that cannot be used at all.
    public init(unconfigured reason: String) {
        isValid = false
        status = .unconfigured
        detail = reason
    }
}
