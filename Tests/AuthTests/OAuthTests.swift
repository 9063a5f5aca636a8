import Config
import Encodings
import EventLoop
import Foundation
import Generation
import JSON
import TestSupport
import Testing

@testable import Auth

/// COIN, and the invalid responses that any token endpoint may return.
@Suite("Client credentials")
struct OAuthTests {
    @Test("go in the form")
    func body() async throws {
        try await Harness.run { harness in
            let credential = try await harness.credential(
                """
                type: coin, token_url: "\(harness.base)/oauth/token", client_id: "a b&c", client_secret: "p+ä=ß",
                 scope: [one, two], extra: {audience: "x y"}
                """)
            _ = try await harness.text(credential)
            let last = try await harness.last("/oauth/token")
            #expect(last["grant_type"] == "client_credentials")
            #expect(last["client_id"] == "a b&c")
            #expect(last["client_secret"] == "p+ä=ß")
            #expect(last["scope"] == "one two")
            #expect(last["audience"] == "x y")
            #expect(last["basic_id"] == nil)
        }
    }

    @Test("go in a Basic header")
    func basic() async throws {
        try await Harness.run { harness in
            let credential = try await harness.credential(
                """
                type: coin, token_url: "\(harness.base)/oauth/token", client_id: "a:b", client_secret: "p+ä=ß",
                 client_auth: basic
                """)
            _ = try await harness.text(credential)
            let last = try await harness.last("/oauth/token")
            #expect(last["basic_id"] == "a:b")
            #expect(last["basic_secret"] == "p+ä=ß")
            #expect(last["client_secret"] == nil)
        }
    }

    @Test("take the client's id from the environment where the file gives none")
    func environment() async throws {
        try await Harness.run { harness in
            let entry = "type: coin, token_url: \"\(harness.base)/oauth/token\", client_secret: s"
            let credential = try await harness.credential(
                entry, environment: ["COIN_CONSUMER_CLIENT_ID": "from-environment"])
            _ = try await harness.text(credential)
            #expect(try await harness.last("/oauth/token")["client_id"] == "from-environment")
            let error = await #expect(throws: ConfigErrors.self) { _ = try await harness.credential(entry) }
            #expect(error?.errors.first?.key == "auth.corp.client_id")
            #expect(error?.errors.first?.message.contains("COIN_CONSUMER_CLIENT_ID") == true)
        }
    }

    @Test(
        "come with any kind of expiry",
        arguments: [
            ("expires=1000", 1000.0), ("expires=text:1000", 1000), ("expires=none", nil),
            ("expires=999999999", 999_999_999),
        ] as [(String, Double?)])
    func expiry(_ words: String, _ lifetime: Double?) async throws {
        try await Harness.run { harness in
            let credential = try await harness.coin(words)
            _ = try await harness.text(credential)
            let left = credential.state.expiresInSeconds
            if let lifetime {
                let seconds = try #require(left)
                #expect(((lifetime - 100)...lifetime).contains(seconds))
            } else {
                #expect(left == nil)
            }
        }
    }

    @Test("have their token and expiry where the configuration says")
    func paths() async throws {
        try await Harness.run { harness in
            let entry = "type: coin, token_url: \"\(harness.base)/oauth/token\", client_id: c, client_secret: s, "
            let other = try await harness.credential(entry + "token_path: token_type, expiry_path: nothing.here")
            #expect(try await harness.text(other) == "Bearer")
            let missing = try await harness.credential(entry + "token_path: data.token")
            #expect(try await harness.error(missing).message.contains("no string at 'data.token'"))
        }
    }

    @Test(
        "fail with a clear error for a malformed response",
        arguments: [
            ("garbage", "not a JSON object"), ("html", "not a JSON object"), ("empty", "not a JSON object"),
            ("truncated", "not a JSON object"), ("huge", "more than 262144 bytes"), ("expires=past", "already expired"),
            ("expires=soon", "neither a number nor a time"), ("close", "the request to"), ("status=503", "503"),
            ("status=429", "429"),
        ])
    func badAnswers(_ words: String, _ expected: String) async throws {
        try await Harness.run { harness in
            let credential = try await harness.coin(words)
            let error = try await harness.error(credential)
            #expect(error.message.contains(expected))
            #expect(error.message.contains("/oauth/token"))
            #expect(error.kind.statusCode == 14)
            #expect(error.isRetryable)
        }
    }

    @Test("fail permanently if the endpoint rejects them", arguments: [400, 401, 403])
    func refusals(_ status: Int) async throws {
        try await Harness.run { harness in
            let credential = try await harness.coin("status=\(status)")
            let error = try await harness.error(credential)
            #expect(error.kind == .authentication)
            #expect(!error.isRetryable)
            #expect(error.httpStatus == status)
            #expect(error.providerCode == "invalid_client")
            #expect(error.message.contains("check client_id, client_secret"))
        }
    }

    @Test("do not appear in an error, however the endpoint echoes them")
    func secrecy() async throws {
        try await Harness.run { harness in
            let secret = "wrong-s3cret/with+signs"
            for style in ["body", "basic"] {
                for words in ["", "echo"] {
                    let credential = try await harness.credential(
                        """
                        type: coin, token_url: "\(harness.base)/oauth/token?sim=x", client_id: "c#\(words)",
                         client_secret: "\(secret)", client_auth: \(style), extra: {assertion: hidden-extra-value}
                        """)
                    let error = try await harness.error(credential)
                    #expect(error.kind == .authentication)
                    let said = "\(error) \(error.message) \(credential.state) \(error.providerCode)"
                    for part in [secret, "s3cret", "with+signs", "hidden-extra", "hidden"] {
                        #expect(!said.contains(part), "\(said)")
                    }
                    #expect(said.contains("<secret>"))
                }
            }
        }
    }

    @Test("are not sent to a placeholder")
    func placeholder() async throws {
        try await Harness.run { harness in
            let credential = try await harness.credential(
                "type: coin, token_url: \"…\", client_id: c, client_secret: s")
            let error = try await harness.error(credential)
            #expect(error.kind == .authentication)
            #expect(error.message.contains("set it to the token endpoint"))
        }
    }
}

@Suite("Redaction")
struct RedactionTests {
    private func clean(_ text: String, _ secrets: String...) -> String {
        var redaction = Redaction()
        for secret in secrets { redaction.add(secret) }
        return redaction.clean(text)
    }

    @Test("finds secrets complete, in part and encoded")
    func finds() {
        #expect(clean("a hunter22-of-old b", "hunter22-of-old") == "a <secret> b")
        #expect(clean("a hunter22-of b", "hunter22-of-old") == "a <secret> b")
        #expect(clean("p%2Fq%2Br%3Ds%2F.", "p/q+r=s/") == "<secret>.")
        #expect(clean("pin 1234 and 12345", "1234") == "pin <secret> and <secret>5")
        #expect(clean("nothing", "no") == "nothing")
        #expect(clean("", "secret-secret") == "")
        #expect(clean("secre", "secret-secret") == "secre")
    }

    @Test("keeps texts short and on one line")
    func short() {
        #expect(clean("a\r\nb\u{7F}") == "a  b ")
        #expect(clean(String(repeating: "x", count: 5000)).utf8.count < 510)
        let secret = String(repeating: "s", count: 300)
        #expect(!clean(String(repeating: "x", count: 490) + secret, secret).contains("ss"))
    }
}

@Suite("Expiries")
struct ExpiryTests {
    @Test(
        "are lifetimes or instants, as numbers or text",
        arguments: [
            (.int(60), 60), (.string("60"), 60), (.double(1.5), 1.5), (.int(1_700_000_060), 60),
            (.string("1700000060"), 60), (.string("2023-11-14T22:14:20Z"), 60),
            (.string("2023-11-14T22:14:20.123456Z"), 60), (.string("2023-11-14T23:14:20+01:00"), 60),
            (.string("2023-11-14 22:14:20Z"), 60), (.string("2023-11-14T17:14:20-05:00"), 60), (.int(-5), -5),
            (.int(0), 0), (.string("inf"), nil), (.string("nan"), nil), (.string(""), nil), (.string("soon"), nil),
            (.bool(true), nil), (.string("2023-11-14T22:14:20"), nil), (.string("2023-99-14T22:14:20Z"), nil),
            (.string("ää-ää-ää-ää-ää-ääää"), nil), (.array([]), nil),
        ] as [(JSONValue, Double?)])
    func forms(_ value: JSONValue, _ expected: Double?) {
        #expect(Expiry.seconds(value, now: 1_700_000_000) == expected)
    }

    @Test("are bounded")
    func huge() {
        let seconds = Expiry.seconds(.double(1e300), now: 0)
        #expect(seconds == 1e9)
        var cache = TokenCache()
        let token = cache.succeeded(
            FetchedToken(value: Secret("t"), lifetime: seconds), now: Instant.now(), random: 1)
        #expect(token.expiresAt != nil)
    }
}

@Suite("Base64 and forms")
struct EncodingTests {
    @Test("agree with Foundation", arguments: 0..<20)
    func base64(_ count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 97 &+ 251) }
        let expected = Data(bytes).base64EncodedString()
        #expect(Base64.encode(bytes) == expected)
        let forURL = expected.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        #expect(Base64.encodeForURL(bytes) == forURL)
    }

    @Test("escape what a form cannot hold, and set a field once")
    func form() {
        var form = FormBody(["a": "1"])
        form.set("b c", "x&y=ä")
        form.set("a", "2")
        form.set("none", nil)
        #expect(String(decoding: form.bytes, as: UTF8.self) == "b%20c=x%26y%3D%C3%A4&a=2")
    }
}
