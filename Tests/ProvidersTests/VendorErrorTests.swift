import Generation
import JSON
import Testing

@testable import HTTPClient
@testable import Providers

/// Error responses of vendors, proxies and compatible servers.
@Suite struct VendorErrorTests {
    private static func error(
        _ status: Int, _ body: String, headers: [String] = [], provider: String = "openai"
    ) throws -> GenerationError {
        let model = try DialectHarness(provider).model
        let lines = (["HTTP/1.1 \(status) X"] + headers).joined(separator: "\r\n")
        let head = HTTPResponseHead(status: status, lines: Array(lines.utf8))
        let parser = JSONParser()
        return try withExtendedLifetime(parser) {
            VendorError(try parser.parse(body)).generationError(httpStatus: status, head: head, model: model)
        }
    }

    @Test(arguments: [
        (400, GenerationError.Kind.invalidRequest, false), (401, .authentication, false), (402, .quotaExhausted, false),
        (403, .permission, false), (404, .unknownModel, false), (408, .providerUnavailable, true),
        (409, .providerUnavailable, true), (413, .invalidRequest, false), (422, .invalidRequest, false),
        (429, .rateLimit, true), (498, .overloaded, true), (499, .providerUnavailable, true),
        (500, .providerUnavailable, true), (502, .providerUnavailable, true), (503, .overloaded, true),
        (504, .providerUnavailable, true), (529, .overloaded, true),
    ])
    func kindsByStatus(_ status: Int, _ kind: GenerationError.Kind, _ isRetryable: Bool) throws {
        let error = try Self.error(status, #"{"error":{"message":"words","type":"t","code":"c"}}"#)
        #expect(error.kind == kind && error.isRetryable == isRetryable && error.message == "words")
        #expect(error.httpStatus == status && error.providerCode == "c" && error.provider == "openai")
        #expect((kind == .rateLimit) == (error.retryAfterMilliseconds != nil))
    }

    @Test(arguments: [
        (#"{"error":{"message":"m","code":"401"}}"#, "m", "401"),
        (#"{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED"}}"#, "m", "RESOURCE_EXHAUSTED"),
        (#"{"error":{"code":429,"message":"m"}}"#, "m", "429"), (#"{"error":"m"}"#, "m", ""),
        (#"{"detail":"m"}"#, "m", ""),
        (#"{"detail":[{"msg":"m","loc":[]}]}"#, "m", ""), (#"{"message":"m","type":"t"}"#, "m", "t"),
        (#""m""#, "m", ""),
        (#"[{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT"}}]"#, "m", "INVALID_ARGUMENT"),
        (
            #"{"type":"error","error":{"type":"overloaded_error","message":"m"},"request_id":"r"}"#, "m",
            "overloaded_error"
        ),
        (#"{"error":{"code":"RateLimitReached","message":"m","details":"m"}}"#, "m", "RateLimitReached"),
        (#"{"error":{"message":"m","type":null,"param":null,"code":null}}"#, "m", ""),
        (#"{"error":{"message":{"text":"m"}}}"#, #"{"text":"m"}"#, ""),
    ])
    func formsOfBodies(_ body: String, _ message: String, _ code: String) throws {
        let error = try Self.error(418, body)
        #expect(error.message == message && error.providerCode == code && error.kind == .invalidRequest)
    }

    /// Google's word for a wrong key, wherever it stands.
    @Test(arguments: [
        #"{"error":{"code":400,"message":"Bad","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}"#,
        #"{"error":{"code":400,"message":"Bad","status":"INVALID_ARGUMENT","details":[{"reason":"OTHER"},{"reason":"API_KEY_INVALID"}]}}"#,
        #"[{"error":{"code":400,"message":"Bad","status":"INVALID_ARGUMENT","details":{"reason":"API_KEY_INVALID"}}}]"#,
        #"{"error":{"code":400,"message":"Bad","status":"API_KEY_INVALID"}}"#,
        #"{"error":{"code":"API_KEY_INVALID","message":"Bad"}}"#,
        #"{"error":{"code":400,"message":"Bad","errors":[{"reason":"API_KEY_INVALID"}]}}"#,
        #"{"error":{"message":"upstream said {\"error\":{\"details\":[{\"reason\":\"API_KEY_INVALID\"}]}}"}}"#,
        #"{"detail":"400 API_KEY_INVALID"}"#,
    ])
    func aWrongKeyOfGoogles(_ body: String) throws {
        #expect(try Self.error(400, body, provider: "gemini").kind == .authentication)
    }

    @Test(arguments: ["{}", "[]", "null", "[[]]", #"{"error":{}}"#, #"{"error":{"message":""}}"#, #"{"error":""}"#])
    func bodiesThatSayNothing(_ body: String) throws {
        let error = try Self.error(500, body)
        #expect(error.message == "openai returned HTTP 500 without an error message", "\(body): \(error.message)")
    }

    @Test func meaningsBeyondTheStatus() throws {
        #expect(try Self.error(429, #"{"error":{"code":"insufficient_quota","message":"m"}}"#).kind == .quotaExhausted)
        #expect(
            try Self.error(
                400,
                #"{"error":{"code":"content_filter","innererror":{"code":"ResponsibleAIPolicyViolation"},"message":"m"}}"#
            ).kind == .contentFiltered)
        #expect(
            try Self.error(400, #"{"error":{"code":"context_length_exceeded","message":"m"}}"#).kind == .contextLength)
        #expect(
            try Self.error(
                400,
                #"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 tokens"}}"#
            ).kind == .contextLength)
        // A limit that mentions the context window is a limit.
        #expect(
            try Self.error(429, #"{"error":{"message":"tokens per minute for this context window"}}"#).kind
                == .rateLimit)
    }

    /// Regardless of the status: Google rejects a wrong key with 400, and so do some compatible servers.
    @Test(arguments: [
        (
            400,
            #"{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}"#
        ),
        (
            400,
            #"[{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT","details":[{"a":1},{"reason":"API_KEY_INVALID"}]}}]"#
        ),
        (403, #"{"error":{"code":403,"message":"m","details":[{"reason":"ACCESS_TOKEN_EXPIRED"}]}}"#),
        (400, #"{"error":{"message":"m","code":"invalid_api_key"}}"#),
        (400, #"{"code":"Client specified an invalid argument","error":"Incorrect API key provided: sk***"}"#),
        (400, #"{"type":"error","error":{"type":"authentication_error","message":"m"}}"#),
    ])
    func credentialsNamedAsTheCause(_ status: Int, _ body: String) throws {
        let error = try Self.error(status, body, provider: "gemini")
        #expect(error.kind == .authentication && error.httpStatus == status && !error.isRetryable)
        #expect(try Self.error(status, #"{"error":{"message":"the API key's owner"}}"#).kind != .authentication)
    }

    /// A redirect is final; its error shows the target without the parts that may be secret.
    @Test(arguments: [
        ("https://other.example/v1/chat", "https://other.example/v1/chat"), ("/v1/x?key=1#f", "/v1/x"),
        ("https://user:pass@h/a@b?c=d", "https://h/a@b"), ("//u@h", "//h"), ("https://h/é", "https://h/?"), ("", nil),
    ])
    func redirects(_ location: String, _ shown: String?) throws {
        for status in [301, 302, 303, 307, 308] {
            // Not even the vendor's own retry hint makes it retryable.
            var headers = ["x-should-retry: true", "retry-after: 1"]
            if shown != nil { headers.append("Location: \(location)") }
            let error = try Self.error(status, #"{"error":"moved"}"#, headers: headers)
            #expect(error.kind == .badProviderResponse && !error.isRetryable && error.httpStatus == status)
            #expect(error.message.contains("api_base"), "\(error.message)")
            #expect(
                error.message.contains(shown.map { "(HTTP \(status)) to \($0)," } ?? "(HTTP \(status)),"), "\(error)")
        }
        let long = try Self.error(301, "{}", headers: ["location: https://h/" + String(repeating: "x", count: 60_000)])
        #expect(long.message.utf8.count < 500)
    }

    private static let headers: [(lines: [String], wait: Int64)] = [
        (["Retry-After: 7"], 7000), (["retry-after-ms: 250"], 250), (["retry-after-ms: 0", "retry-after: 1"], 1000),
        (["retry-after: 1.5"], 1500), (["retry-after: 0"], 1000), (["retry-after: -5"], 1000),
        (["retry-after: x"], 1000), (["retry-after: nan"], 1000), (["retry-after: 1e30"], 86_400_000), ([], 1000),
        (["retry-after: Thu, 01 Jan 1970 00:00:00 GMT"], 1000),
    ]

    @Test(arguments: headers.indices)
    func waits(_ index: Int) throws {
        let (lines, wait) = Self.headers[index]
        let error = try Self.error(429, #"{"error":{"message":"m"}}"#, headers: lines)
        #expect(error.retryAfterMilliseconds == wait, "\(lines)")
    }

    @Test(arguments: [
        ("48s", 48000), ("34.4s", 34400), ("0s", 1000), ("-3s", 1000), ("x", 1000), ("1e99s", 86_400_000),
        ("infs", 1000),
    ])
    func waitsInBodies(_ delay: String, _ milliseconds: Int64) throws {
        let body = #"{"error":{"code":429,"details":[{"retryDelay":"\#(delay)"},"x",null,{"retryDelay":3}]}}"#
        #expect(try Self.error(429, body).retryAfterMilliseconds == milliseconds)
    }

    @Test func theVendorsOwnWordOnRetries() throws {
        let body = #"{"error":{"message":"m"}}"#
        #expect(try Self.error(500, body, headers: ["x-should-retry: false"]).isRetryable == false)
        #expect(try Self.error(400, body, headers: ["X-Should-Retry: true"]).isRetryable == true)
    }

    @Test func secretsAndLength() throws {
        let gate = try DialectHarness("openai").gate()
        func error(_ status: Int, _ body: String) throws -> GenerationError {
            gate.pass(try Self.error(status, body))
        }
        let echo = try error(
            401, #"{"error":{"message":"bad key: key-of-this-test","code":"sk-abcdefghijklmnopqrst"}}"#)
        #expect(!echo.message.contains("key-of-this-test") && !echo.providerCode.contains("abcdefghijklm"))
        // A megabyte of text that looks like keys: the result is short, and computed quickly.
        let long = String(repeating: "sk-aaaaaaaaaaaaaaaaaaaa ", count: 40_000)
        let huge = try error(500, #"{"error":{"message":"\#(long)","code":"\#(long)"}}"#)
        #expect(huge.message.utf8.count <= 4100 && huge.providerCode.utf8.count <= 520)
        #expect(!huge.message.contains("aaaaaaaaaaaa"))
        // A key at the position where the message is cut does not come through in part.
        for offset in Array(4000..<4140) + Array(16_360..<16_390) {
            let words = String(repeating: ".", count: offset) + "key-of-this-test"
            let cut = try error(500, #"{"error":{"message":"\#(words)"}}"#)
            #expect(!cut.message.contains("key-of"), "offset \(offset)")
        }
        // Removing keys shortens the text, so that the first cut, in the middle of a key, becomes visible.
        let many = String(repeating: "key-of-this-test", count: 1024).dropLast(4) + "!"
        #expect(try !error(500, #"{"error":{"message":"\#(many)"}}"#).message.contains("key-of-"))
        let cutKeys = String(repeating: "key-of-this-test ", count: 2000)
        #expect(try !error(500, #"{"error":{"message":"\#(cutKeys)"}}"#).message.contains("key-of-t"))
    }
}

extension VendorErrorTests {
    /// The error for a redirect.
    static func redirect(to location: String) throws -> GenerationError {
        try error(301, "{}", headers: ["location: \(location)"])
    }
}

@Suite struct PageTextTests {
    @Test(arguments: [
        (
            "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n<!-- a padding to disable MSIE -->",
            "502 Bad Gateway nginx"
        ),
        ("<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>", "502 Bad Gateway nginx"),
        ("<p>one</p><p>t<b>w</b>o</p>three<br/>four<BR>five", "one two three four five"),
        ("<style>p {}</style><script>if (a<b) {}</script><SCRIPT>x</SCRIPT>words", "words"),
        (
            "<script>document.write('<p>no</p></b>'); x </scripts> y</SCRIPT\n><style>a::before{content:'</'}</style>words",
            "words"
        ),
        ("<title>a </b> c</TITLE>words", "a </b> c words"), ("<script>x</script", ""), ("<title>only", "only"),
        ("a &lt;b&gt; &amp; &quot;c&quot;&nbsp;d &unknown; &", "a <b> & \"c\" d &unknown; &"),
        ("upstream connect error: 3 < 5, a<", "upstream connect error: 3 < 5, a<"), ("<!-- never closed", ""),
        ("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>no</Message></Error>", "AccessDenied no"),
        ("<title>only this</title>", "only this"), ("", ""), ("<html", ""), ("\u{0}\u{1}a\u{7F}b\n\tc", "a b c"),
        ("<script>never closed", ""), ("<title>", ""), ("</", "</"), ("é <b>ü</b>", "é ü"),
    ])
    func pagesAndPlainTexts(_ page: String, _ words: String) {
        #expect(PageText.beginning(Array(page.utf8)) == words)
    }

    /// Pages designed to be slow to parse: each is read once.
    @Test(arguments: ["<", "<a", "<!--", "<script>", "</", "&", "&amp", "<title>", "<b>", "x"])
    func hostilePagesAreShort(_ piece: String) {
        let page = Array(String(repeating: piece, count: 1 << 20).utf8)
        #expect(PageText.beginning(page).count <= 200)
        #expect(PageText.beginning((0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }).count <= 200)
    }
}
