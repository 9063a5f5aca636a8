import Config
import Foundation
import Generation
import JSON
import TestSupport
import Testing

@testable import Auth

@Suite("Google's credentials")
struct GoogleTests {
    private static let scope = "https://www.googleapis.com/auth/cloud-platform"

    /// Runs `body` with a simulator, a folder and a key.
    private func run(_ body: @escaping (Harness, Keys) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let keys = try await Keys(in: folder)
            try await Harness.run { harness in try await body(harness, keys) }
        }
    }

    @Test("of a service account are signed as Google requires")
    func serviceAccount() async throws {
        try await run { harness, keys in
            let path = keys.folder + "/sa.json"
            try write(keys.serviceAccount(tokenURI: harness.base + "/token"), to: path)
            let credential = try await harness.credential("type: google_service_account, credentials_file: \(path)")
            #expect(try await harness.text(credential).hasPrefix("sim-token-"))
            let last = try await harness.last("/token")
            #expect(last["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer")
            let (header, claims) = try await keys.verified(try #require(last["assertion"]?.string))
            #expect(header == ["alg": "RS256", "typ": "JWT", "kid": "key-1"])
            #expect(claims["iss"] == "sa@sim.iam.gserviceaccount.com")
            #expect(claims["aud"] == "https://oauth2.googleapis.com/token")
            #expect(claims["scope"]?.string == Self.scope)
            let (issued, end) = try (#require(claims["iat"]?.int), #require(claims["exp"]?.int))
            #expect(end - issued == 3600)
            #expect(abs(Double(issued) - Date().timeIntervalSince1970) < 600)
        }
    }

    @Test("of a service account may be in the configuration, with its own endpoint and scope")
    func serviceAccountText() async throws {
        try await run { harness, keys in
            let text = keys.serviceAccount(tokenURI: "http://127.0.0.1:1/never")
            let credential = try await harness.credential(
                """
                type: google_service_account, credentials_json: "${KEY}", token_uri: "\(harness.base)/token",
                 scope: [a, b]
                """, environment: ["KEY": text])
            _ = try await harness.text(credential)
            let last = try await harness.last("/token")
            let (_, claims) = try await keys.verified(try #require(last["assertion"]?.string))
            #expect(claims["scope"] == "a b")
        }
    }

    @Test("that are damaged report the reason")
    func damagedKeys() async throws {
        try await run { harness, keys in
            let path = keys.folder + "/sa.json"
            let entry = "type: google_service_account, credentials_file: \(path)"
            let cases: [(String, String)] = [
                ("{", "not a JSON object"),
                ("[]", "not a JSON object"),
                ("{\"type\": \"service_account\"}", "lacks 'client_email' or 'private_key'"),
                ("{\"type\": \"authorized_user\"}", "use 'type: google_adc'"),
                (
                    "{\"client_email\": \"a@b\", \"private_key\": \"-----BEGIN PRIVATE KEY-----\\nAAAA\"}",
                    "'private_key' is not PEM"
                ),
                ("{\"client_email\": \"a@b\", \"private_key\": \"\"}", "'private_key' is not PEM"),
            ]
            for (text, expected) in cases {
                try write(text, to: path)
                let error = try await harness.error(try await harness.credential(entry))
                #expect(error.kind == .authentication)
                #expect(error.message.contains(expected), "\(error)")
                #expect(!error.message.contains("AAAA"))
            }
            unlink(path)
            let error = try await harness.error(try await harness.credential(entry))
            #expect(error.message.contains("credentials_file: the file '\(path)' cannot be read"))
        }
    }

    @Test("that the issuer rejects do not come back in the error")
    func rejectedAssertion() async throws {
        try await run { harness, keys in
            let path = keys.folder + "/sa.json"
            try write(keys.serviceAccount(tokenURI: harness.base + "/token", email: "x@y#echo"), to: path)
            let error = try await harness.error(
                try await harness.credential("type: google_service_account, credentials_file: \(path)"))
            #expect(error.kind == .authentication)
            #expect(error.message.contains("<secret>"))
            let assertion = try #require(try await harness.last("/token")["assertion"]?.string)
            for part in assertion.split(separator: ".") { #expect(!error.message.contains(part.suffix(12))) }
        }
    }

    // MARK: - Application default credentials

    @Test("by default come from the file that the environment names")
    func namedFile() async throws {
        try await run { harness, keys in
            let path = keys.folder + "/adc.json"
            try write(keys.serviceAccount(tokenURI: harness.base + "/token"), to: path)
            let credential = Credential.googleDefault(
                environment: ["GOOGLE_APPLICATION_CREDENTIALS": path, "GOOGLE_CLOUD_QUOTA_PROJECT": "payer"])
            await harness.attach(credential)
            let token = try await harness.token(credential).get()
            #expect(token.quotaProject == "payer")
            let missing = Credential.googleDefault(environment: ["GOOGLE_APPLICATION_CREDENTIALS": path + "x"])
            await harness.attach(missing)
            #expect(try await harness.error(missing).message.contains("GOOGLE_APPLICATION_CREDENTIALS"))
        }
    }

    @Test("by default come from gcloud's file", arguments: ["CLOUDSDK_CONFIG", "HOME"])
    func gcloudFile(_ variable: String) async throws {
        try await withTemporaryFolder { folder in
            try await Harness.run { harness in
                let inner = variable == "HOME" ? folder + "/.config/gcloud" : folder
                try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: true)
                try write(
                    """
                    {"type": "authorized_user", "client_id": "id", "client_secret": "user-s3cret",
                     "refresh_token": "1//refresh", "quota_project_id": "payer"}
                    """, to: inner + "/application_default_credentials.json")
                let credential = try await harness.credential(
                    "type: google_adc, token_uri: \"\(harness.base)/token\"", environment: [variable: folder])
                #expect(try await harness.token(credential).get().quotaProject == "payer")
                let last = try await harness.last("/token")
                #expect(last["grant_type"] == "refresh_token")
                #expect(last["refresh_token"] == "1//refresh")
                #expect(last["client_secret"] == "user-s3cret")
                #expect(last["scope"] == nil)
            }
        }
    }

    @Test("by default come from the metadata server last")
    func metadataServer() async throws {
        try await Harness.run { harness in
            var environment = ["HOME": "/nonexistent", "GCE_METADATA_HOST": "127.0.0.1:\(harness.port)"]
            let credential = try await harness.credential("type: google_adc", environment: environment)
            #expect(try await harness.text(credential).hasPrefix("sim-token-"))
            environment["NO_GCE_CHECK"] = "true"
            let none = try await harness.credential("type: google_adc", environment: environment)
            let error = try await harness.error(none)
            #expect(error.kind == .authentication)
            #expect(error.message.contains("gcloud auth application-default login"))
            #expect(none.state.status == .unconfigured)
        }
    }

    @Test("by default report what to do if none are found")
    func nothing() async throws {
        try await Harness.run { harness in
            let credential = try await harness.credential(
                "type: google_adc", environment: ["GCE_METADATA_HOST": "127.0.0.1:1"])
            let error = try await harness.error(credential)
            #expect(error.message.contains("found neither a credential file nor a metadata server"))
            #expect(credential.state.status == .unconfigured)
        }
    }

    @Test("of users who must log in again say so")
    func revokedUser() async throws {
        try await withTemporaryFolder { folder in
            try await Harness.run { harness in
                let path = folder + "/adc.json"
                try write(
                    """
                    {"type": "authorized_user", "client_id": "id", "client_secret": "user-s3cret",
                     "refresh_token": "1//revoked-token", "token_uri": "\(harness.base)/token"}
                    """, to: path)
                let credential = try await harness.credential("type: google_adc, credentials_file: \(path)")
                let error = try await harness.error(credential)
                #expect(error.kind == .authentication)
                #expect(error.providerCode == "invalid_grant")
                #expect(error.message.contains("log in again"))
                #expect(!error.message.contains("1//revoked"))
            }
        }
    }

    @Test("of one service account become another's")
    func impersonation() async throws {
        try await run { harness, keys in
            let path = keys.folder + "/adc.json"
            let target = "/v1/projects/-/serviceAccounts/b@c:generateAccessToken"
            try write(
                """
                {"type": "impersonated_service_account", "delegates": ["d"], "quota_project_id": "payer",
                 "service_account_impersonation_url": "\(harness.base)\(target)",
                 "source_credentials": \(keys.serviceAccount(tokenURI: harness.base + "/token"))}
                """, to: path)
            let credential = try await harness.credential("type: google_adc, credentials_file: \(path), scope: s")
            #expect(try await harness.token(credential).get().quotaProject == "payer")
            let left = try #require(credential.state.expiresInSeconds)
            #expect((3500...3601).contains(left))
            let last = try await harness.last(target)
            #expect(last["scope"] == "[\"s\"]")
            #expect(last["delegates"] == "[\"d\"]")
            #expect(last["lifetime"] == "3600s")
            let (_, claims) = try await keys.verified(
                try #require(try await harness.last("/token")["assertion"]?.string))
            #expect(claims["scope"]?.string == Self.scope)
        }
    }

    @Test("of another issuer are exchanged", arguments: ["file", "json file", "url", "impersonated"])
    func externalAccount(_ kind: String) async throws {
        try await withTemporaryFolder { folder in
            try await Harness.run { harness in
                let target = "/v1/projects/-/serviceAccounts/b@c:generateAccessToken"
                try write(
                    kind == "json file" ? "{\"id_token\": \"subject-token\"}" : "subject-token\n",
                    to: folder + "/subject")
                let json = "\"format\": {\"type\": \"json\", \"subject_token_field_name\": "
                let source =
                    switch kind {
                    case "json file": "{\"file\": \"\(folder)/subject\", \(json)\"id_token\"}}"
                    // Any JSON with a string member serves as an issuer's response.
                    case "url":
                        "{\"url\": \"\(harness.base)/msi/token?api-version=2019-08-01&resource=r\", "
                            + "\"headers\": {\"X-IDENTITY-HEADER\": \"header-s3cret\"}, \(json)\"access_token\"}}"
                    default: "{\"file\": \"\(folder)/subject\"}"
                    }
                let impersonation =
                    kind == "impersonated"
                    ? ", \"service_account_impersonation_url\": \"\(harness.base)\(target)\", "
                        + "\"service_account_impersonation\": {\"token_lifetime_seconds\": 600}" : ""
                try write(
                    """
                    {"type": "external_account", "audience": "//iam/pool", "token_url": "\(harness.base)/v1/token",
                     "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
                     "credential_source": \(source)\(impersonation)}
                    """, to: folder + "/adc.json")
                let credential = try await harness.credential(
                    "type: google_adc, credentials_file: \(folder)/adc.json, scope: s")
                #expect(try await harness.text(credential).hasPrefix("sim-token-"))
                let last = try await harness.last("/v1/token")
                #expect(last["audience"] == "//iam/pool")
                #expect(last["scope"]?.string == (kind == "impersonated" ? Self.scope : "s"))
                let subject = try #require(last["subject_token"]?.string)
                #expect(kind == "url" ? subject.hasPrefix("sim-token-") : subject == "subject-token")
                if kind == "impersonated" { #expect(try await harness.last(target)["lifetime"] == "600s") }
            }
        }
    }

    @Test("of unknown or incomplete files say what is wrong")
    func brokenFiles() async throws {
        try await withTemporaryFolder { folder in
            try await Harness.run { harness in
                let path = folder + "/adc.json"
                let cases = [
                    (
                        "{\"type\": \"gdch_service_account\"}",
                        "has type 'gdch_service_account'; supported: service_account"
                    ),
                    ("{}", "has type ''"),
                    ("{\"type\": 7}", "has type ''"),
                    ("{\"type\": \"authorized_user\"}", "lacks 'client_id'"),
                    ("{\"type\": \"external_account\"}", "lacks 'audience'"),
                    ("{\"type\": \"impersonated_service_account\"}", "lacks 'service_account_impersonation_url'"),
                    (
                        "{\"type\": \"external_account\", \"audience\": \"a\", \"subject_token_type\": \"t\", "
                            + "\"token_url\": \"u\", \"credential_source\": {\"environment_id\": \"aws1\"}}",
                        "must have 'file' or 'url'"
                    ),
                    (
                        "{\"type\": \"impersonated_service_account\", \"service_account_impersonation_url\": \"u\", "
                            + "\"source_credentials\": {\"type\": \"impersonated_service_account\"}}",
                        "valid 'source_credentials'"
                    ),
                ]
                for (text, expected) in cases {
                    try write(text, to: path)
                    let credential = try await harness.credential("type: google_adc, credentials_file: \(path)")
                    let error = try await harness.error(credential)
                    #expect(error.kind == .authentication)
                    #expect(error.message.contains(expected), "\(error)")
                }
            }
        }
    }

    // MARK: - The metadata server

    @Test("of a machine come from its metadata server")
    func metadata() async throws {
        try await Harness.run { harness in
            let credential = try await harness.credential(
                "type: google_metadata, endpoint: \"\(harness.base)/\", scope: [\"https://a/b\", c]")
            #expect(try await harness.text(credential).hasPrefix("sim-token-"))
            // Another server at that address is not trusted.
            let other = try await harness.credential("type: google_metadata, endpoint: \"\(harness.base)/elsewhere\"")
            #expect(try await harness.error(other).message.contains("is not Google's metadata server"))
        }
    }
}
