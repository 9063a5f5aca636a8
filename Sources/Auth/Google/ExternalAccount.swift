internal import Config
internal import Generation
internal import JSON

/// Workload identity federation: exchanges another issuer's token, from a file or a URL, at Google's Security Token
/// Service (RFC 8693), and the result for a service account's token if the file asks for impersonation.
struct ExternalAccount {
    private static let grant = "urn:ietf:params:oauth:grant-type:token-exchange"
    private static let requestedType = "urn:ietf:params:oauth:token-type:access_token"

    private let credentials: JSONValue
    private let name: String
    private let audience: String
    private let subjectTokenType: String
    private let tokenURL: String

    init(_ credentials: JSONValue, from name: String, _ run: RefreshRun) throws(AuthFailure) {
        guard let audience = credentials["audience"]?.string,
            let subjectTokenType = credentials["subject_token_type"]?.string,
            let tokenURL = credentials["token_url"]?.string
        else {
            throw run.failure(.authentication, "\(name) lacks 'audience', 'subject_token_type' or 'token_url'")
        }
        self.credentials = credentials
        self.name = name
        self.audience = audience
        self.subjectTokenType = subjectTokenType
        self.tokenURL = tokenURL
    }

    func token(_ run: RefreshRun, scope: String) async throws(AuthFailure) -> FetchedToken {
        let impersonationURL = credentials["service_account_impersonation_url"]?.string
        let subject = try await subjectToken(run)
        var redaction = Redaction()
        redaction.add(subject)
        var form = FormBody([
            "grant_type": Self.grant, "audience": audience, "requested_token_type": Self.requestedType,
            "subject_token_type": subjectTokenType,
        ])
        form.set("scope", impersonationURL == nil ? scope : Google.scope)
        form.set("subject_token", subject)
        let client = credentials["client_id"]?.string
        if client == nil, let project = credentials["workforce_pool_user_project"]?.string {
            form.set("options", JSONValue.object([(key: "userProject", value: .string(project))]).text)
        }
        var request = TokenRequest.post(tokenURL, form, redaction)
        if let client { request.authenticate(client, Secret(credentials["client_secret"]?.string ?? "")) }
        let token = try await run.token(
            request, advice: "check the pool, its provider and its conditions, and that the subject token is fresh")
        guard let impersonationURL else { return token }
        var impersonation = Impersonation(url: impersonationURL)
        if let seconds = credentials["service_account_impersonation"]?["token_lifetime_seconds"]?.int {
            impersonation.lifetime = seconds
        }
        return try await impersonation.token(run, with: token.value, scope: scope)
    }

    /// Reads the other issuer's token from `credential_source`.
    private func subjectToken(_ run: RefreshRun) async throws(AuthFailure) -> Secret {
        let source = credentials["credential_source"]
        let text: Secret
        let place: String
        if let path = source?["file"]?.string {
            place = "the subject token file"
            text = try await run.file(path, place)
        } else if let url = source?["url"]?.string {
            var request = TokenRequest(url: url)
            for (name, value) in source?["headers"]?.members ?? [] {
                guard let value = value.string else { continue }
                request.headers.append((name, value))
                request.redaction.add(value)
            }
            place = request.place
            let response = try await run.send(request)
            guard response.isGood else {
                throw run.refusal(response, request, advice: "check 'credential_source' of \(name)")
            }
            text = Secret(response.body)
        } else {
            throw run.failure(
                .authentication,
                "\(name): 'credential_source' must have 'file' or 'url'; other kinds are not supported")
        }
        return try subjectToken(in: text, from: place, run)
    }

    private func subjectToken(
        in text: Secret, from place: String, _ run: RefreshRun
    ) throws(AuthFailure) -> Secret {
        let bytes = text.withUnsafeBytes { Array($0) }
        let format = credentials["credential_source"]?["format"]
        guard format?["type"]?.string == "json" else {
            return try run.checked(Secret(bytes.trimmed), from: place)
        }
        let field = format?["subject_token_field_name"]?.string ?? ""
        guard let token = (try? JSONValue(parsing: bytes))?[field]?.string else {
            throw run.failure(.authentication, "\(place) is not JSON with a string at '\(run.quoted(field))'")
        }
        return try run.checked(Secret(token), from: place)
    }
}
