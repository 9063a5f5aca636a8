internal import Auth
public import Generation
public import Providers

/// What is known of one model's credential: what the provider said of it just now, and how its token is doing.
public struct CredentialVerdict: Sendable, Equatable {
    /// Whether a call would get through.
    public var isValid: Bool
    /// `healthy`, `expiring`, `stale`, `failed` or `unconfigured`.
    public var status: String
    /// What is wrong and what to do; empty where nothing is.
    public var detail: String
    /// Seconds until the token expires; 0 where it does not or nobody knows.
    public var expiresInSeconds: Int64 = 0
    /// What the last try to get a token ended with, where it failed.
    public var lastError = ""
    /// Seconds since the token was fetched; 0 for a fixed one.
    public var secondsSinceRefresh: Int64 = 0

    /// The verdict over a model that was asked for with a call that costs nothing.
    public init(_ model: ConfiguredModel, probe error: GenerationError?) {
        let state = model.credential?.state
        isValid = error == nil
        if error != nil {
            status = state?.status == .unconfigured ? "unconfigured" : "failed"
        } else {
            // A token was at hand just now, whatever it is called a moment later.
            status = state?.status == .expiring || state?.status == .stale ? state?.status.rawValue ?? "" : "healthy"
        }
        lastError = state?.lastError ?? ""
        detail = error?.message ?? lastError
        expiresInSeconds = state?.expiresInSeconds.map { Int64($0) } ?? 0
        secondsSinceRefresh = state?.secondsSinceRefresh.map { Int64($0) } ?? 0
    }

    /// The verdict over a model that cannot be used at all.
    public init(unconfigured reason: String) {
        isValid = false
        status = "unconfigured"
        detail = reason
    }
}
