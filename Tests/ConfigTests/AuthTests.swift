import Testing

@testable import Config

@Suite("The auth section")
struct AuthTests {
    private func read(_ text: String) throws -> AuthConfiguration {
        try #require(try parse(withModel("auth: {a: {\(text)}}")).auth["a"])
    }

    @Test("has all types with all their keys")
    func types() throws {
        let coin = try read(
            """
            type: coin, token_url: "http://127.0.0.1:1/token?x=1", client_id: i, client_secret: s, client_auth: basic,
             scope: [a, b], extra: {audience: x}, token_path: data.token, expiry_path: data.ttl, header: X-Coin,
             prefix: "Coin "
            """)
        #expect(coin.header == "X-Coin")
        #expect(coin.prefix == "Coin ")
        guard case .coin(let client) = coin.method else {
            Issue.record("not coin")
            return
        }
        #expect(client.tokenURL == "http://127.0.0.1:1/token?x=1")
        #expect(client.clientAuth == .basic)
        #expect(client.clientSecret.reveal() == "s")
        #expect(client.scope == "a b")
        #expect(client.extra == ["audience": "x"])
        #expect(client.tokenPath == "data.token")
        #expect(client.expiryPath == "data.ttl")

        let others: [(String, AuthConfiguration.Kind)] = [
            ("type: api_key, api_key: k, header: x-api-key, prefix: k", .apiKey),
            (
                "type: google_service_account, credentials_file: f, token_uri: \"http://h/t\", scope: s",
                .googleServiceAccount
            ),
            ("type: google_service_account, credentials_json: \"{\\n}\"", .googleServiceAccount),
            ("type: google_adc", .googleADC),
            ("type: google_adc, credentials_file: f, scope: s", .googleADC),
            ("type: google_metadata, endpoint: \"http://127.0.0.1:1\", scope: s", .googleMetadata),
            ("type: azure_ad, tenant_id: t, client_id: c, client_secret: s, authority_host: \"http://h\"", .azureAD),
            ("type: azure_ad, tenant_id: t, client_id: c, certificate_file: f, scope: s", .azureAD),
            ("type: azure_ad, tenant_id: t, client_id: c, federated_token_file: f", .azureAD),
            ("type: azure_managed_identity, client_id: c, resource: r, endpoint: \"http://h\"", .azureManagedIdentity),
            ("type: command, command: [a, \"\"], token_path: x, expiry_path: y", .command),
            ("type: file, path: p", .file),
            ("type: static, token: t", .static),
        ]
        for (text, kind) in others { #expect(try read(text).kind == kind) }
    }

    @Test(
        "has mistakes of its own",
        arguments: [
            (
                "token: t",
                "a.type: is missing; valid: api_key, coin, google_service_account, google_adc, google_metadata, "
                    + "azure_ad, azure_managed_identity, command, file, static"
            ),
            ("type: azuread", "a.type: unknown auth type \"azuread\"; did you mean 'azure_ad'?"),
            ("type: static", "a.token: is missing"),
            ("type: static, tokn: t, token: t", "a.tokn: unknown key; did you mean 'token'?"),
            (
                "type: google_service_account",
                "a.credentials_file: is missing; one of credentials_file, credentials_json is required"
            ),
            (
                "type: azure_ad, tenant_id: t, client_id: c, client_secret: s, certificate_file: f",
                "a.certificate_file: only one of client_secret, certificate_file, federated_token_file is allowed"
            ),
            (
                "type: coin, client_id: i, client_secret: s, token_url: \"ftp://h\"",
                "a.token_url: expected a URL that begins with http:// or https://, found \"ftp://h\""
            ),
            (
                "type: coin, client_id: i, client_secret: s, token_url: \"http://h\", client_auth: form",
                "a.client_auth: expected one of body, basic, found \"form\""
            ),
            ("type: file, path: p, header: \"a b\"", "a.header: expected a header name, found \"a b\""),
            ("type: static, token: \"a\\nb\"", "a.token: contains a line break or another control character"),
        ])
    func mistakesOfTypes(_ text: String, _ expected: String) {
        #expect(mistakes(withModel("auth: {a: {\(text)}}")) == ["config.yaml:2: auth." + expected])
    }
}
