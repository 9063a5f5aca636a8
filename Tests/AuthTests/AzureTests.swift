import Config
import Encodings
import Foundation
import Generation
import JSON
import TestSupport
import Testing

@testable import Auth

@Suite("Azure's credentials")
struct AzureTests {
    private static let path = "/tenant/oauth2/v2.0/token"

    @Test("of an application with a secret")
    func secret() async throws {
        try await Harness.run { harness in
            let entry = "type: azure_ad, tenant_id: tenant, client_id: app, client_secret: entra-s3cret"
            let credential = try await harness.credential(entry + ", authority_host: \"\(harness.base)/\"")
            #expect(try await harness.text(credential).hasPrefix("sim-token-"))
            let last = try await harness.last(Self.path)
            #expect(last["scope"] == "https://cognitiveservices.azure.com/.default")
            #expect(last["client_id"] == "app")
            // Microsoft's own libraries do the same.
            let other = try await harness.credential(
                entry + ", scope: \"api://x/\"", environment: ["AZURE_AUTHORITY_HOST": harness.base])
            _ = try await harness.text(other)
            #expect(try await harness.last(Self.path)["scope"] == "api://x/.default")
        }
    }

    @Test("that Entra refuses")
    func refused() async throws {
        try await Harness.run { harness in
            let credential = try await harness.credential(
                """
                type: azure_ad, tenant_id: tenant, client_id: app, client_secret: wrong-s3cret-of-entra,
                 authority_host: "\(harness.base)"
                """)
            let error = try await harness.error(credential)
            #expect(error.kind == .authentication)
            #expect(error.message.contains("AADSTS7000215"))
            #expect(!error.message.contains("s3cret"))
        }
    }

    @Test("of an application with a certificate are signed as msal does", arguments: [false, true])
    func certificate(_ isADFS: Bool) async throws {
        try await withTemporaryFolder { folder in
            let keys = try await Keys(in: folder)
            try await Harness.run { harness in
                let tenant = isADFS ? "adfs" : "tenant"
                let credential = try await harness.credential(
                    """
                    type: azure_ad, tenant_id: \(tenant), client_id: app, certificate_file: \(keys.bundleFile),
                     authority_host: "\(harness.base)"
                    """)
                #expect(try await harness.text(credential).hasPrefix("sim-token-"))
                let path = "/\(tenant)/oauth2/v2.0/token"
                let last = try await harness.last(path)
                #expect(last["client_secret"] == nil)
                let assertion = try #require(last["client_assertion"]?.string)
                let (header, claims) = try await keys.verified(assertion, isPSS: !isADFS)
                #expect(header["alg"]?.string == (isADFS ? "RS256" : "PS256"))
                let print = try #require(header[isADFS ? "x5t" : "x5t#S256"]?.string)
                let digits = try await keys.fingerprint(isADFS ? "-sha1" : "-sha256").split(separator: ":")
                let bytes = digits.compactMap { UInt8($0, radix: 16) }
                #expect(bytes.count == (isADFS ? 20 : 32))
                #expect(print == Base64.encodeForURL(bytes))
                #expect(claims["aud"]?.string == harness.base + path)
                #expect(claims["iss"] == "app")
                #expect(claims["sub"] == "app")
                let identifier = try #require(claims["jti"]?.string)
                #expect(UUID(uuidString: identifier) != nil)
            }
        }
    }

    @Test("with a damaged certificate file report the reason")
    func damagedCertificate() async throws {
        try await withTemporaryFolder { folder in
            let keys = try await Keys(in: folder)
            try FileManager.default.createDirectory(atPath: folder + "/other", withIntermediateDirectories: true)
            let others = try await Keys(in: folder + "/other")
            let certificate = try String(contentsOfFile: folder + "/cert.pem", encoding: .utf8)
            let locked = try await runProgram(
                "/usr/bin/openssl",
                ["pkcs8", "-topk8", "-in", keys.keyFile, "-passout", "pass:x", "-out", folder + "/locked.pem"])
            #expect(locked.code == 0)
            try await Harness.run { harness in
                let cases = [
                    (keys.keyText, "no readable certificate"), (certificate, "is not PEM"), ("", "is empty"),
                    (certificate + others.keyText, "does not match the certificate"),
                    (
                        certificate + (try String(contentsOfFile: folder + "/locked.pem", encoding: .utf8)),
                        "has a passphrase"
                    ),
                ]
                for (text, expected) in cases {
                    try write(text, to: folder + "/bad.pem")
                    let credential = try await harness.credential(
                        """
                        type: azure_ad, tenant_id: t, client_id: app, certificate_file: \(folder)/bad.pem,
                         authority_host: "\(harness.base)"
                        """)
                    let error = try await harness.error(credential)
                    #expect(error.kind == .authentication)
                    #expect(error.message.contains(expected), "\(error)")
                    #expect(!error.message.contains("MII"))
                }
            }
        }
    }

    @Test("of a federated token read its file anew each time")
    func federated() async throws {
        try await withTemporaryFolder { folder in
            try await Harness.run { harness in
                let path = folder + "/token"
                let first = "e30.\(Base64.encodeForURL("{\"n\":1}".utf8)).first"
                let second = "e30.\(Base64.encodeForURL("{\"n\":2}".utf8)).second"
                try write(first + "\n", to: path)
                let credential = try await harness.credential(
                    """
                    type: azure_ad, tenant_id: tenant, client_id: app, federated_token_file: \(path),
                     authority_host: "\(harness.base)"
                    """)
                let token = try await harness.token(credential).get()
                #expect(try await harness.last(Self.path)["client_assertion"]?.string == first)
                try write(second, to: path)
                credential.invalidate(token.generation)
                _ = try await harness.text(credential)
                #expect(try await harness.last(Self.path)["client_assertion"]?.string == second)
            }
        }
    }

    // MARK: - Managed identities

    @Test("of a machine, with numbers as strings")
    func machine() async throws {
        try await Harness.run { harness in
            for endpoint in [harness.base, harness.base + "/metadata/identity/oauth2/token"] {
                let credential = try await harness.credential(
                    """
                    type: azure_managed_identity, endpoint: "\(endpoint)", client_id: mine,
                     resource: "https://cognitiveservices.azure.com/.default"
                    """)
                #expect(try await harness.text(credential).hasPrefix("sim-token-"))
                let left = try #require(credential.state.expiresInSeconds)
                #expect((3000...3600).contains(left))
            }
            let other = try await harness.credential(
                "type: azure_managed_identity", environment: ["AZURE_POD_IDENTITY_AUTHORITY_HOST": harness.base])
            #expect(try await harness.text(other).hasPrefix("sim-token-"))
        }
    }

    @Test("of an App Service, with an absolute expiry")
    func appService() async throws {
        try await Harness.run { harness in
            let environment = ["IDENTITY_ENDPOINT": harness.base + "/msi/token", "IDENTITY_HEADER": "header-s3cret"]
            let credential = try await harness.credential("type: azure_managed_identity", environment: environment)
            #expect(try await harness.text(credential).hasPrefix("sim-token-"))
            let left = try #require(credential.state.expiresInSeconds)
            #expect((3000...3601).contains(left))
            #expect(try await harness.requests("/msi/token") == 1)
        }
    }

    @Test("of a machine that is being updated are tried again", arguments: [410, 404])
    func updating(_ status: Int) async throws {
        try await Harness.run { harness in
            _ = try await harness.get("/sim/tokens/set?status=\(status)")
            let credential = try await harness.credential(
                "type: azure_managed_identity, endpoint: \"\(harness.base)\"")
            let error = try await harness.error(credential)
            #expect(error.kind == (status == 410 ? .providerUnavailable : .authentication))
        }
    }
}
