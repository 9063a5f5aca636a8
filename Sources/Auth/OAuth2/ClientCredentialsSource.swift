internal import Config
internal import Encodings
internal import Generation

/// The OAuth 2 client credentials grant (RFC 6749 §4.4), type `coin` of `auth`.
struct ClientCredentialsSource: TokenSource {
    let client: AuthConfiguration.OAuthClient

    func fetch(_ run: RefreshRun) async throws(AuthFailure) -> FetchedToken {
        guard client.tokenURL != "…" else {
            throw run.failure(.authentication, "'token_url' is still the placeholder '…'; set it to the token endpoint")
        }
        var form = FormBody(["grant_type": "client_credentials"])
        var redaction = Redaction()
        redaction.add(client.clientSecret)
        if client.clientAuth == .body {
            form.set("client_id", client.clientID)
            form.set("client_secret", client.clientSecret)
        }
        form.set("scope", client.scope)
        for (name, value) in client.extra.sorted(by: { $0.key < $1.key }) {
            form.set(name, value)
            // URLs are not secret, and redacting them would make the endpoint's error messages unreadable.
            if value.utf8.count >= 8, !value.contains("://") { redaction.add(value) }
        }
        var request = TokenRequest.post(client.tokenURL, form, redaction)
        if client.clientAuth == .basic { request.authenticate(client.clientID, client.clientSecret) }
        return try await run.token(
            request, TokenPaths(token: client.tokenPath, expiry: client.expiryPath),
            advice: "check client_id, client_secret, client_auth and scope")
    }
}

extension TokenRequest {
    /// Adds a Basic `Authorization` header. Both parts are form-encoded first (RFC 6749 §2.3.1).
    mutating func authenticate(_ id: String, _ secret: Secret) {
        var pair: [UInt8] = []
        PercentEncoding.append(id.utf8, to: &pair)
        pair.append(UInt8(ascii: ":"))
        secret.withUnsafeBytes { PercentEncoding.append($0, to: &pair) }
        let encoded = Base64.encode(pair)
        redaction.add(encoded)
        headers.append(("Authorization", "Basic \(encoded)"))
    }
}
