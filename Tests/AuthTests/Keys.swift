import Foundation
import JSON
import TestSupport
import Testing

/// An RSA key with its certificate, made by the openssl program, which also verifies what is signed with it.
struct Keys {
    let folder: String
    var keyFile: String { folder + "/key.pem" }
    /// The path of the file with certificate and key.
    var bundleFile: String { folder + "/bundle.pem" }
    var keyText: String { (try? String(contentsOfFile: keyFile, encoding: .utf8)) ?? "" }

    /// Creates key and certificate in a folder.
    init(in folder: String) async throws {
        self.folder = folder
        try await openssl([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", keyFile, "-out", folder + "/cert.pem", "-subj",
            "/CN=genwire-test", "-days", "2",
        ])
        try await openssl(["x509", "-in", folder + "/cert.pem", "-noout", "-pubkey", "-out", folder + "/public.pem"])
        let certificate = try String(contentsOfFile: folder + "/cert.pem", encoding: .utf8)
        try write(certificate + keyText, to: bundleFile)
    }

    @discardableResult
    private func openssl(_ arguments: [String]) async throws -> (code: Int32, output: String, errors: String) {
        let result = try await runProgram("/usr/bin/openssl", arguments)
        guard result.code == 0 else { throw Failure(text: result.errors) }
        return result
    }

    private struct Failure: Error { let text: String }

    /// The fingerprint of the certificate, in upper-case hexadecimal.
    func fingerprint(_ digest: String) async throws -> String {
        let output = try await openssl(["x509", "-in", folder + "/cert.pem", "-noout", "-fingerprint", digest]).output
        return output.trimmingCharacters(in: .whitespacesAndNewlines).split(separator: "=").last.map(String.init) ?? ""
    }

    /// Returns the header and claims of a token after verifying its signature.
    func verified(_ token: String, isPSS: Bool = false) async throws -> (header: JSONValue, claims: JSONValue) {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        try #require(parts.count == 3)
        try Data((parts[0] + "." + parts[1]).utf8).write(to: URL(fileURLWithPath: folder + "/signed"))
        try decoded(parts[2]).write(to: URL(fileURLWithPath: folder + "/signature"))
        let padding = isPSS ? ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"] : []
        try await openssl(
            ["dgst", "-sha256"] + padding + [
                "-verify", folder + "/public.pem", "-signature", folder + "/signature", folder + "/signed",
            ])
        return (
            try JSONValue(parsing: Array(try decoded(parts[0]))), try JSONValue(parsing: Array(try decoded(parts[1])))
        )
    }

    /// Base64 for URLs, without padding.
    private func decoded(_ text: String) throws -> Data {
        #expect(!text.contains { "+/=".contains($0) })
        let padded = text.replacing("-", with: "+").replacing("_", with: "/")
        return try #require(Data(base64Encoded: padded + String(repeating: "=", count: (4 - text.count % 4) % 4)))
    }

    /// Returns the contents of a service account's key file with the given token endpoint.
    func serviceAccount(tokenURI: String, email: String = "sa@sim.iam.gserviceaccount.com") -> String {
        let value: JSONValue = [
            "type": "service_account", "project_id": "p", "private_key_id": "key-1", "private_key": .string(keyText),
            "client_email": .string(email), "token_uri": .string(tokenURI),
        ]
        return value.text
    }
}
