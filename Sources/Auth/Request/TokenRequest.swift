internal import Config
internal import HTTPClient

/// One request to a token endpoint.
struct TokenRequest {
    var url: String
    var headers: [(name: String, value: String)] = [("Accept", "application/json")]
    /// The body of a POST; `nil` for a GET.
    var body: [UInt8]?
    /// The secrets that were sent and must not appear in an error.
    var redaction = Redaction()
    /// Whether it goes to the machine's own metadata service, which must not go through a proxy.
    var isLocal = false

    static func post(_ url: String, _ form: FormBody, _ redaction: Redaction) -> TokenRequest {
        var request = TokenRequest(url: url, redaction: redaction)
        request.headers.append(FormBody.contentType)
        request.body = form.bytes
        return request
    }

    /// The URL for errors: without its query, which may contain secrets.
    var place: String {
        let end = url.firstIndex { $0 == "?" || $0 == "#" } ?? url.endIndex
        return redaction.clean(String(url[..<end]))
    }

    func prepared(timeout: Double, caFile: String?) throws(HTTPError) -> HTTPRequest {
        // `RefreshRun` bounds the total time; these timeouts give a more specific error.
        let timeouts = HTTPTimeouts(
            connect: min(timeout, isLocal ? 3 : 5), firstByte: timeout, idle: timeout, total: timeout)
        return HTTPRequest(
            url: url, headers: try HTTPHeaders(headers), body: body, timeouts: timeouts, prefersHTTP1: true,
            caFile: caFile, bypassesProxy: isLocal)
    }
}
