internal import Config
internal import Generation
internal import JSON

/// Exchanges a token for a service account's token through the IAM Credentials API.
struct Impersonation {
    /// The endpoint, `…/serviceAccounts/EMAIL:generateAccessToken`.
    var url: String
    /// The service accounts of the delegation chain, first to last.
    var delegates: [String] = []
    /// The requested lifetime of the token, in seconds.
    var lifetime = 3600

    func token(_ run: RefreshRun, with token: Secret, scope: String) async throws(AuthFailure) -> FetchedToken {
        var request = TokenRequest(url: url)
        request.redaction.add(token)
        request.headers += [("Content-Type", "application/json"), ("Authorization", "Bearer \(token.reveal())")]
        let scopes = scope.split(separator: " ").map { JSONValue.string(String($0)) }
        let body: JSONValue = [
            "delegates": .array(delegates.map { .string($0) }), "scope": .array(scopes),
            "lifetime": .string("\(lifetime)s"),
        ]
        request.body = Array(body.text.utf8)
        return try await run.token(
            request, TokenPaths(token: "accessToken", expiry: "expireTime"),
            advice: "check that the caller has the role 'Service Account Token Creator' on the service account")
    }
}
