internal import Config
internal import Encodings
internal import Generation
internal import JSON

enum Azure {
    /// The resource (audience) of tokens for Azure OpenAI.
    static let resource = "https://cognitiveservices.azure.com"
}

/// An Entra ID application that authenticates with a secret, a certificate or a federated token.
struct EntraSource: TokenSource {
    private static let assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

    let application: AuthConfiguration.AzureAD

    func fetch(_ run: RefreshRun) async throws(AuthFailure) -> FetchedToken {
        let url = tokenEndpoint(run)
        var redaction = Redaction()
        var form = FormBody(["grant_type": "client_credentials", "client_id": application.clientID])
        form.set("scope", scope)
        if let secret = application.clientSecret {
            redaction.add(secret)
            form.set("client_secret", secret)
        } else {
            let assertion: Secret
            if let path = application.certificateFile {
                let pem = try await run.file(path, "certificate_file")
                let signed = await run.blocking { Self.assertion(application, pem, audience: url) }
                switch signed {
                case .success(let token): assertion = token
                case .failure(let error):
                    throw run.failure(.authentication, "certificate_file: the key \(error.reason)")
                }
            } else {
                // Read for each refresh: Kubernetes replaces the token every hour.
                assertion = try await run.tokenFile(application.federatedTokenFile ?? "", "federated_token_file")
            }
            redaction.add(assertion)
            form.set("client_assertion_type", Self.assertionType)
            form.set("client_assertion", assertion)
        }
        return try await run.token(
            .post(url, form, redaction),
            advice: "check tenant_id, client_id, scope and that the credential is not expired")
    }

    private func tokenEndpoint(_ run: RefreshRun) -> String {
        var authority =
            application.authorityHost ?? run.variable("AZURE_AUTHORITY_HOST") ?? "https://login.microsoftonline.com"
        if !authority.contains("://") { authority = "https://" + authority }
        return "\(WebAddress.withoutSlash(authority))/\(PercentEncoding.encode(application.tenantID))/oauth2/v2.0/token"
    }

    /// The scope in the form `RESOURCE/.default` that Entra ID requires; the suffix is added to a plain resource.
    private var scope: String {
        guard let scope = application.scope else { return Azure.resource + "/.default" }
        guard !scope.hasSuffix("/.default"), !scope.contains(" ") else { return scope }
        return WebAddress.withoutSlash(scope) + "/.default"
    }

    /// The client assertion, as Microsoft's libraries build it: PS256 and the certificate's SHA-256 thumbprint for
    /// Entra ID; RS256 and SHA-1 for AD FS, which supports nothing newer.
    private static func assertion(
        _ application: AuthConfiguration.AzureAD, _ pem: Secret, audience: String
    ) -> Result<Secret, SigningError> {
        let isADFS = application.tenantID.lowercased() == "adfs"
        let now = Int(Expiry.wallClock()) - JSONWebToken.backdating
        let claims: JSONValue = [
            "aud": .string(audience), "iss": .string(application.clientID), "sub": .string(application.clientID),
            "jti": .string(identifier()), "iat": .int(now), "nbf": .int(now), "exp": .int(now + 600),
        ]
        do throws(SigningError) {
            let key = try SigningKey(pem: pem)
            let certificate = try Certificate(pem: pem)
            guard key.belongs(to: certificate) else { throw SigningError(reason: "does not match the certificate") }
            let print = Base64.encodeForURL(certificate.fingerprint(isSHA256: !isADFS))
            return .success(
                try JSONWebToken.sign(
                    claims, header: [(key: isADFS ? "x5t" : "x5t#S256", value: .string(print))], with: key,
                    isADFS ? .rs256 : .ps256))
        } catch {
            return .failure(error)
        }
    }

    /// A random UUID (RFC 9562, version 4).
    private static func identifier() -> String {
        var generator = SystemRandomNumberGenerator()
        var bytes = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        let digits = bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
        return [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { digits[$0].joined() }.joined(separator: "-")
    }
}
