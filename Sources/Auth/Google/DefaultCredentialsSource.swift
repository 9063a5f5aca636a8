internal import Config
internal import Generation
internal import Glibc
internal import JSON

/// Google's Application Default Credentials, in the order of Google's own libraries: the file named by
/// GOOGLE_APPLICATION_CREDENTIALS, gcloud's file, the metadata server.
struct DefaultCredentialsSource: TokenSource {
    let adc: AuthConfiguration.GoogleADC

    func fetch(_ run: RefreshRun) async throws(AuthFailure) -> FetchedToken {
        var token: FetchedToken
        if let (path, name) = await file(run) {
            let credentials = try run.googleCredentials(try await run.file(path, name), from: name)
            token = try await self.token(credentials, name, run, scope: adc.scope)
            token.quotaProject = token.quotaProject ?? credentials["quota_project_id"]?.string
        } else {
            token = try await metadataToken(run)
        }
        if let project = run.variable("GOOGLE_CLOUD_QUOTA_PROJECT") { token.quotaProject = project }
        return token
    }

    /// The credential file and its name for errors; `nil` if there is none.
    private func file(_ run: RefreshRun) async -> (path: String, name: String)? {
        if let path = adc.credentialsFile { return (path, "credentials_file") }
        let variable = "GOOGLE_APPLICATION_CREDENTIALS"
        if let path = run.variable(variable) { return (path, variable) }
        let folder = run.variable("CLOUDSDK_CONFIG") ?? run.variable("HOME").map { $0 + "/.config/gcloud" }
        guard let folder else { return nil }
        let path = folder + "/application_default_credentials.json"
        let exists = await run.blocking { access(path, F_OK) == 0 }
        return exists ? (path, "gcloud's application_default_credentials.json") : nil
    }

    private func metadataToken(_ run: RefreshRun) async throws(AuthFailure) -> FetchedToken {
        let advice =
            "set GOOGLE_APPLICATION_CREDENTIALS to a credential file, run 'gcloud auth application-default login', or "
            + "use another 'auth' type"
        guard run.variable("NO_GCE_CHECK")?.lowercased() != "true" else {
            throw unconfigured(run, "no credentials were found; \(advice)")
        }
        do {
            return try await GoogleMetadataSource(metadata: .init(scope: adc.scope)).fetch(run)
        } catch {
            // No response means that this is not a Google Cloud machine.
            guard error.error.httpStatus == 0, error.error.kind != .cancelled else { throw error }
            throw unconfigured(run, "found neither a credential file nor a metadata server; \(advice)")
        }
    }

    private func unconfigured(_ run: RefreshRun, _ message: String) -> AuthFailure {
        var failure = run.failure(.authentication, message)
        failure.isUnconfigured = true
        return failure
    }

    /// A token from a credential file of any supported type.
    private func token(
        _ credentials: JSONValue, _ name: String, _ run: RefreshRun, scope: String?
    ) async throws(AuthFailure) -> FetchedToken {
        let type = credentials["type"]?.string ?? ""
        switch type {
        case "service_account":
            return try await ServiceAccountKey(credentials, from: name, run)
                .token(run, scope: scope ?? Google.scope, tokenURI: adc.tokenURI)
        case "authorized_user":
            return try await AuthorizedUser(credentials, from: name, run)
                .token(run, scope: scope, tokenURI: adc.tokenURI)
        case "external_account":
            return try await ExternalAccount(credentials, from: name, run).token(run, scope: scope ?? Google.scope)
        case "impersonated_service_account":
            guard let source = credentials["source_credentials"], source["type"]?.string != type,
                let url = credentials["service_account_impersonation_url"]?.string
            else {
                throw run.failure(
                    .authentication,
                    "\(name) lacks 'service_account_impersonation_url' or valid 'source_credentials'")
            }
            // The source token needs the cloud-platform scope to call the IAM Credentials API.
            let token = try await self.token(source, name, run, scope: Google.scope)
            let delegates = credentials["delegates"]?.array?.compactMap(\.string) ?? []
            return try await Impersonation(url: url, delegates: delegates)
                .token(run, with: token.value, scope: scope ?? Google.scope)
        default:
            throw run.failure(
                .authentication,
                "\(name) has type '\(run.quoted(type))'; supported: service_account, authorized_user, "
                    + "external_account, impersonated_service_account")
        }
    }
}

/// User credentials, as written by `gcloud auth application-default login`.
struct AuthorizedUser {
    private let id: String
    private let secret: Secret
    private let refreshToken: Secret
    private let tokenURI: String?

    init(_ credentials: JSONValue, from name: String, _ run: RefreshRun) throws(AuthFailure) {
        guard let id = credentials["client_id"]?.string, let secret = credentials["client_secret"]?.string,
            let refreshToken = credentials["refresh_token"]?.string
        else {
            throw run.failure(.authentication, "\(name) lacks 'client_id', 'client_secret' or 'refresh_token'")
        }
        self.id = id
        self.secret = Secret(secret)
        self.refreshToken = Secret(refreshToken)
        tokenURI = credentials["token_uri"]?.string
    }

    /// - Parameter scope: a subset of the scope that the user granted; `nil` for all of it.
    func token(_ run: RefreshRun, scope: String?, tokenURI: String?) async throws(AuthFailure) -> FetchedToken {
        var redaction = Redaction()
        redaction.add(secret)
        redaction.add(refreshToken)
        var form = FormBody(["grant_type": "refresh_token", "client_id": id])
        form.set("client_secret", secret)
        form.set("refresh_token", refreshToken)
        form.set("scope", scope)
        return try await run.token(
            .post(tokenURI ?? self.tokenURI ?? Google.tokenEndpoint, form, redaction),
            advice: "log in again with 'gcloud auth application-default login'")
    }
}
