/// What holds for all requests of a client. Proxies are taken from the usual environment names (`https_proxy`,
/// `http_proxy`, `no_proxy`), which libcurl reads itself.
public struct HTTPClientOptions: Sendable {
    /// A file of PEM certificates to trust instead of the system's.
    public var caFile: String?
    /// Accepts any certificate. For experiments only.
    public var skipsVerification = false
    /// Connections kept open for re-use when idle.
    public var maxIdleConnections = 256
    /// The `User-Agent` header.
    public var userAgent = "genwire"

    /// See `SendRecord`, in nanoseconds.
    var resendWindow = SendRecord.defaultWindow

    /// Verified TLS with the system's certificates.
    public init() {}
}
