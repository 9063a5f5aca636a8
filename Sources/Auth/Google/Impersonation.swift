internal import Config
internal import Generation
internal import JSON

/// Trades a token for one of a service account, by the IAM credentials API.
struct Impersonation {
    /// Where: `…/serviceAccounts/EMAIL:generateAccessToken`.
    var url: String
    /// The service accounts between, first to last.
    var delegates: [String] = []
    /// Seconds that the token is good for.
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
            advice: "check that the caller has the role 'Service Account Token Creator' on it")
    }
}
