internal import CCurl

/// A transfer without a complete HTTP response. A response with an error status is not an `HTTPError`.
package struct HTTPError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The phase or part that failed.
    package enum Kind: Sendable, Equatable {
        /// The host name could not be resolved.
        case resolve
        /// The connection could not be established.
        case connect
        /// The TLS handshake failed, or the certificate was rejected.
        case tls
        /// A timeout expired; see `HTTPTimeouts`.
        case timeout(Phase)
        /// The connection was lost, or the peer did not speak HTTP.
        case interrupted
        /// The URL is malformed or has an unsupported scheme.
        case badURL
        /// The response exceeds a size limit.
        case tooLarge
        /// Any other failure.
        case other
    }

    /// The timeout that expired.
    package enum Phase: Sendable, Equatable {
        /// Name resolution, connection and TLS handshake.
        case connect
        /// Waiting for the first byte of the response body.
        case firstByte
        /// Waiting for the next byte of the body.
        case idle
        /// The transfer as a whole.
        case total
    }

    /// The phase or part that failed.
    package let kind: Kind
    /// A message for users, from libcurl or from this module.
    package let description: String
    /// Whether `HTTPRequest.allowsAddress` refused the host's addresses.
    package internal(set) var isRefusedAddress = false

    /// Creates an error with a message for users.
    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }

    /// - Parameter isConnected: whether a connection was established.
    init(code: CURLcode, detail: String, isConnected: Bool) {
        let text = detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
        let kind: Kind
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: kind = .resolve
        case CURLE_COULDNT_CONNECT, CURLE_PROXY: kind = .connect
        // libcurl enforces only the connect timeout.
        case CURLE_OPERATION_TIMEDOUT: kind = .timeout(.connect)
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS:
            kind = .tls
        // Either an unsupported URL scheme, or a response that is not HTTP, which libcurl takes for HTTP/0.9.
        case CURLE_UNSUPPORTED_PROTOCOL: kind = isConnected ? .interrupted : .badURL
        case CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING, CURLE_HTTP2,
            CURLE_HTTP2_STREAM, CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING, CURLE_SSL_SHUTDOWN_FAILED:
            kind = .interrupted
        case CURLE_URL_MALFORMAT: kind = .badURL
        default: kind = .other
        }
        self.init(kind, text)
    }
}
