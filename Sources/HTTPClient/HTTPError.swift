internal import CCurl

/// A transfer that failed below HTTP, or broke off. An answer with an error status is not one.
public struct HTTPError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What failed.
    public enum Kind: Sendable, Equatable {
        /// The host's name gave no address.
        case resolve
        /// Nobody accepted the connection.
        case connect
        /// The certificate or the handshake was refused.
        case tls
        /// One of the timeouts.
        case timeout(Phase)
        /// The connection broke, or what came was not HTTP.
        case interrupted
        /// The URL cannot be used.
        case badURL
        /// The answer's head is beyond all measure.
        case tooLarge
        /// Anything else.
        case other
    }

    /// Which timeout.
    public enum Phase: Sendable, Equatable {
        /// Making the connection.
        case connect
        /// Waiting for the first byte of the answer's body.
        case firstByte
        /// Silence between two pieces of the body.
        case idle
        /// The transfer as a whole.
        case total
    }

    /// What failed.
    public let kind: Kind
    /// The details, in libcurl's words or ours.
    public let description: String

    /// An error of a kind.
    public init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }

    /// - Parameter isConnected: whether there was a connection to send the request on.
    init(code: CURLcode, detail: String, isConnected: Bool) {
        let text = detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
        let kind: Kind
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: kind = .resolve
        case CURLE_COULDNT_CONNECT, CURLE_PROXY: kind = .connect
        // All other timeouts are ours and never come from libcurl.
        case CURLE_OPERATION_TIMEDOUT: kind = .timeout(.connect)
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS:
            kind = .tls
        // Either the URL's scheme, or an answer in HTTP/0.9, which is what anything that is not HTTP looks like.
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
