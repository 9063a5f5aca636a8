/// The `tls` section: how upstream servers are verified.
public struct TLSConfiguration: Sendable, Equatable {
    /// A PEM file of trusted authorities; `nil` for the system's.
    public var caFile: String?
    /// Trusts every certificate. For tests only.
    public var insecureSkipVerify = false

    /// The defaults.
    public init() {}
}

extension TLSConfiguration: Keyed {
    static let standard = TLSConfiguration()

    static let keys: [Key<TLSConfiguration>] = [
        Key(
            "ca_file", \.caFile, .certificateFile, default: "the system's",
            "The authorities to trust, for models without a `ca_file` of their own."),
        Key(
            "insecure_skip_verify", \.insecureSkipVerify, .boolean, reload: .restart,
            "Trusts every certificate; for tests only."),
    ]
}
