internal import CCurl

/// The targets of redirects.
package enum URLReference {
    /// The absolute URL of `reference`, which may be relative to `base`; `nil` unless it is a valid `http` or `https`
    /// URL.
    package static func resolve(_ reference: String, against base: String) -> String? {
        guard let url = curl_url() else { return nil }
        defer { curl_url_cleanup(url) }
        guard curl_url_set(url, CURLUPART_URL, base, 0) == CURLUE_OK,
            curl_url_set(url, CURLUPART_URL, reference, 0) == CURLUE_OK,
            let scheme = part(CURLUPART_SCHEME, of: url), scheme == "http" || scheme == "https"
        else { return nil }
        return part(CURLUPART_URL, of: url)
    }

    private static func part(_ part: CURLUPart, of url: OpaquePointer) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(url, part, &text, 0) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }
}
