internal import Config
internal import Generation
internal import JSON

enum Google {
    /// The scope that all Google Cloud APIs accept.
    static let scope = "https://www.googleapis.com/auth/cloud-platform"
    static let tokenEndpoint = "https://oauth2.googleapis.com/token"
}

/// A service account whose key the configuration contains or names, type `google_service_account` of `auth`.
struct ServiceAccountSource: TokenSource {
    let account: AuthConfiguration.GoogleServiceAccount

    func fetch(_ run: RefreshRun) async throws(AuthFailure) -> FetchedToken {
        let text: Secret
        let place: String
        if let path = account.credentialsFile {
            text = try await run.file(path, "credentials_file")
            place = "credentials_file"
        } else {
            text = account.credentialsJSON ?? Secret("")
            place = "credentials_json"
        }
        let credentials = try run.googleCredentials(text, from: place)
        if let type = credentials["type"]?.string, type != "service_account" {
            throw run.failure(
                .authentication,
                "\(place) has type '\(run.quoted(type))', not 'service_account'; use 'type: google_adc' for it")
        }
        return try await ServiceAccountKey(credentials, from: place, run)
            .token(run, scope: account.scope ?? Google.scope, tokenURI: account.tokenURI)
    }
}

/// A service account's key file, as downloaded from Google Cloud's console.
struct ServiceAccountKey {
    private static let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    /// The `aud` claim that Google requires, even if `token_uri` names another endpoint.
    private static let audience = Google.tokenEndpoint
    /// Validity of the assertion in seconds; Google's maximum.
    private static let lifetime = 3600

    private let email: String
    private let keyID: String
    private let pem: Secret
    private let tokenURI: String?
    private let quotaProject: String?
    private let place: String

    init(_ credentials: JSONValue, from place: String, _ run: RefreshRun) throws(AuthFailure) {
        guard let email = credentials["client_email"]?.string, let pem = credentials["private_key"]?.string else {
            throw run.failure(
                .authentication, "\(place) lacks 'client_email' or 'private_key'; it must be a service account's key")
        }
        self.email = email
        self.pem = Secret(pem)
        self.place = place
        keyID = credentials["private_key_id"]?.string ?? ""
        tokenURI = credentials["token_uri"]?.string
        quotaProject = credentials["quota_project_id"]?.string
    }

    /// Exchanges a signed JWT for a token (RFC 7523).
    /// - Parameter tokenURI: overrides the key's `token_uri`.
    func token(
        _ run: RefreshRun, scope: String, tokenURI: String?
    ) async throws(AuthFailure) -> FetchedToken {
        let assertion = try await assertion(run, scope: scope)
        var redaction = Redaction()
        redaction.add(assertion)
        var form = FormBody(["grant_type": Self.grant])
        form.set("assertion", assertion)
        let url = tokenURI ?? self.tokenURI ?? Google.tokenEndpoint
        var token = try await run.token(
            .post(url, form, redaction),
            advice: "check that the key exists, that the scope is correct, and that this machine's clock is right")
        token.quotaProject = quotaProject
        return token
    }

    private func assertion(_ run: RefreshRun, scope: String) async throws(AuthFailure) -> Secret {
        let now = Int(Expiry.wallClock()) - JSONWebToken.backdating
        let claims: JSONValue = [
            "iss": .string(email), "aud": .string(Self.audience), "scope": .string(scope), "iat": .int(now),
            "exp": .int(now + Self.lifetime),
        ]
        let header: [(key: String, value: JSONValue)] = keyID.isEmpty ? [] : [(key: "kid", value: .string(keyID))]
        let pem = pem
        // Signing takes about a millisecond, too long for the loop.
        let result = await run.blocking { () -> Result<Secret, SigningError> in
            do throws(SigningError) {
                return .success(try JSONWebToken.sign(claims, header: header, with: SigningKey(pem: pem), .rs256))
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let assertion): return assertion
        case .failure(let error): throw run.failure(.authentication, "\(place): 'private_key' \(error.reason)")
        }
    }
}

extension RefreshRun {
    /// Parses one of Google's JSON credential files.
    func googleCredentials(_ text: Secret, from place: String) throws(AuthFailure) -> JSONValue {
        let value = text.withUnsafeBytes { try? JSONValue(parsing: Array($0)) }
        guard let value, value.members != nil else {
            throw failure(.authentication, "\(place) is not a JSON object")
        }
        return value
    }

    /// A string of a file for an error message: at most 60 characters, without control characters.
    func quoted(_ text: String) -> String { Redaction().clean(String(text.prefix(60))) }
}
