import Config
import Testing

@testable import Providers

/// Which credentials a reload keeps.
@Suite struct CredentialStoreTests {
    private func configuration(_ auth: String, tls: String = "") throws -> Configuration {
        let text = """
            generation: {provider: openai, config: {model_name: gpt-4o, api_key: k}}
            \(tls)
            auth: {a: {\(auth)}}
            """
        return try Configuration.parse(
            Array(text.utf8), file: "config.yaml", environment: [:], knownProviders: ["openai"])
    }

    private static let entry = "type: coin, token_url: \"https://t.example/t\", client_id: c, client_secret: s3cret-1"

    @Test func theSameEntryKeepsItsCredential() throws {
        let old = CredentialStore(try configuration(Self.entry), environment: ["A": "1"])
        let new = CredentialStore(try configuration(Self.entry), environment: ["A": "1"], carryingOver: old)
        let kept = try #require(old.entry(named: "a")?.credential)
        #expect(new.entry(named: "a")?.credential === kept)
        #expect(new.googleDefault() !== old.googleDefault())
        let third = CredentialStore(try configuration(Self.entry), environment: ["A": "1"], carryingOver: new)
        #expect(third.entry(named: "a")?.credential === kept)
        #expect(third.googleDefault() === new.googleDefault())
    }

    @Test(arguments: [
        (entry.replacing("s3cret-1", with: "s3cret-2"), "", "1"),
        (entry.replacing("t.example", with: "u.example"), "", "1"),
        (entry + ", scope: more", "", "1"), (entry + ", header: X-Token", "", "1"), ("type: static, token: t", "", "1"),
        // Settings that apply to all credentials count as well.
        (entry, "tls: {ca_file: /etc/ssl/certs/ca-certificates.crt}", "1"), (entry, "", "2"),
    ])
    func anyOtherEntryHasItsOwn(_ auth: String, _ tls: String, _ variable: String) throws {
        let old = CredentialStore(try configuration(Self.entry), environment: ["A": "1"])
        let new = CredentialStore(
            try configuration(auth, tls: tls), environment: ["A": variable], carryingOver: old)
        let one = try #require(old.entry(named: "a")?.credential)
        let other = try #require(new.entry(named: "a")?.credential)
        #expect(one !== other)
        #expect(old.googleDefault() !== new.googleDefault() || tls.isEmpty && variable == "1")
    }
}
