/// Options for all requests of a client. Proxies are configured with the environment variables `https_proxy`,
/// `http_proxy` and `no_proxy`, which libcurl reads itself.
package struct HTTPClientOptions: Sendable {
    /// A file of PEM certificates to trust; `nil` for the system's.
    package var caFile: String?
    /// Accepts any certificate, which makes TLS insecure. For tests only.
    package var skipsVerification = false
    /// Maximum number of idle connections kept open for re-use.
    package var maxIdleConnections = 256
    /// The value of the `User-Agent` header.
    package var userAgent = "genwire"

    /// See `SendRecord`, in nanoseconds.
    var resendWindow = SendRecord.defaultWindow

    /// The defaults: TLS verified with the system's certificates.
    package init() {}
}
