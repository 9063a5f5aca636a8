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
            "The certificate authorities to trust, for models that set no `ca_file`."),
        Key(
            "insecure_skip_verify", \.insecureSkipVerify, .boolean, reload: .restart,
            "Disables certificate verification; for tests only."),
    ]
}
