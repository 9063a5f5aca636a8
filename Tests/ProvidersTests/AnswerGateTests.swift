import Auth
import Config
import Generation
import Testing

@testable import Providers

/// No text of a response contains a secret of its call, in whatever field.
@Suite struct AnswerGateTests {
    private static let key = "key-of-this-test"

    @Test func everyFieldOfAWholeAnswer() throws {
        let gate = try DialectHarness("openai").gate()
        let key = Self.key
        var message = Message(role: .assistant, content: "a \(key) b \(key)")
        message.reasoning = key
        message.providerState = Array(#"{"claude":["\#(key)"]}"#.utf8)
        message.toolCalls = [
            ToolCall(id: key, name: "f" + key, argumentsJSON: #"{"x":"\#(key)"}"#, providerState: Array(key.utf8))
        ]
        var completion = AnswerTrailer()
        completion.id = "id-\(key)"
        completion.model = key
        completion.rawFinishReason = key
        completion.providerRequestID = "req \(key)"
        completion.warnings = ["refused: \(key)", "sk-abcdefghijklmnop"]
        completion.providerState = message.providerState
        let answer = gate.pass(ChatResponse(message: message, completion: completion))
        #expect(answer.message.content == "a <secret> b <secret>" && answer.message.reasoning == "<secret>")
        #expect(String(decoding: answer.message.providerState, as: UTF8.self) == #"{"claude":["<secret>"]}"#)
        #expect(answer.completion.providerState == answer.message.providerState)
        let call = try #require(answer.message.toolCalls.first)
        #expect(call.id == "<secret>" && call.name == "f<secret>" && call.argumentsJSON == #"{"x":"<secret>"}"#)
        #expect(call.providerState == Array("<secret>".utf8))
        #expect(answer.completion.id == "id-<secret>" && answer.completion.model == "<secret>")
        #expect(
            answer.completion.rawFinishReason == "<secret>" && answer.completion.providerRequestID == "req <secret>")
        #expect(answer.completion.warnings == ["refused: <secret>", "sk-<secret>"])
        // No secret was missed.
        #expect(!"\(answer)".contains(key))
        // Texts without secrets pass unchanged.
        let plain = ChatResponse(
            message: Message(role: .assistant, content: "sk-abcdefghijklmnop"), completion: AnswerTrailer())
        #expect(gate.pass(plain) == plain)
    }

    @Test func everyFieldOfAnError() throws {
        var error = GenerationError(.authentication, "wrong: \(Self.key)")
        error.providerCode = Self.key
        let passed = try DialectHarness("openai").gate().pass(error)
        #expect(passed.message == "wrong: <secret>" && passed.providerCode == "<secret>")
    }

    @Test func vendorsWordsAreBounded() throws {
        let long = String(repeating: "é", count: 100_000)
        var completion = AnswerTrailer()
        completion.id = long
        completion.model = long
        completion.providerRequestID = long
        completion.rawFinishReason = long
        completion.warnings = [long]
        let answer = try DialectHarness("openai").gate().pass(
            ChatResponse(message: Message(role: .assistant, content: long), completion: completion))
        #expect(answer.message.content == long)
        for text in [answer.completion.id, answer.completion.model, answer.completion.providerRequestID] {
            #expect(text.utf8.count <= 520)
        }
        #expect(answer.completion.warnings[0].utf8.count <= 4100 && answer.completion.rawFinishReason.utf8.count <= 520)
    }

    /// Both tokens of a call whose first token was rejected, and the secrets in the section's custom headers.
    @Test func everySecretOfACall() throws {
        let harness = try DialectHarness("openai") {
            $0.extraHeaders = [
                "X-Title": "A title of my own", "X-Gateway-Key": "gateway-key-0123",
                "Proxy-Authorization": "Basic Zm9vYmFyYmF6cXV4",
            ]
        }
        var gate = AnswerGate(harness.model)
        let more = SecretSet(token: Secret("another-token-0123"), headers: [:])
        gate.add(try harness.model.identity(harness.model.credential?.current).get())
        gate.add(ConfiguredModel.Identity(headers: try harness.model.identity(nil).get().headers, secrets: more))
        let text = "key-of-this-test another-token-0123 gateway-key-0123 Basic Zm9vYmFyYmF6cXV4 A title of my own"
        let answer = gate.pass(
            ChatResponse(message: Message(role: .assistant, content: text), completion: AnswerTrailer()))
        // A title is no secret, and an answer may well have it.
        #expect(answer.message.content == "<secret> <secret> <secret> <secret> A title of my own")
    }

    /// A custom header, and the forms in which a vendor may echo its secret.
    private static let headers: [(name: String, value: String, echoes: [String])] = [
        ("Authorization", "Bearer bearer-key-0123456", ["Bearer bearer-key-0123456", "bearer-key-0123456"]),
        ("X-Auth-Token", "Bearer bearer-key-0123456", ["bearer-key-0123456", "Bearer bearer-key-0123456"]),
        (
            "Authorization", "Basic dXNlcjpwYXNzd29yZC0wMTIzNDU2",
            ["Basic dXNlcjpwYXNzd29yZC0wMTIzNDU2", "dXNlcjpwYXNzd29yZC0wMTIzNDU2", "password-0123456"]
        ),
        (
            "Cookie", "session=cookie-key-0123456; x=1; other=\"cookie-key-two-345\"",
            ["session=cookie-key-0123456; x=1", "cookie-key-0123456", "cookie-key-two-345"]
        ),
        ("Authorization", "Token token=\"quoted-key-0123456\"", ["quoted-key-0123456"]),
        ("X-Api-Key", "bare-key-01234567=", ["bare-key-01234567="]),
    ]

    @Test(arguments: headers.indices)
    func everyFormOfASecretHeader(_ index: Int) throws {
        let (name, value, echoes) = Self.headers[index]
        let harness = try DialectHarness("openai") { $0.extraHeaders = [name: value, "X-Title": "A title of my own"] }
        let gate = try harness.gate()
        for echo in echoes {
            let answer = gate.pass(
                ChatResponse(message: Message(role: .assistant, content: "a \(echo)."), completion: AnswerTrailer()))
            #expect(answer.message.content.hasPrefix("a <secret>"), "\(echo): \(answer.message.content)")
            #expect(!answer.message.content.contains(echo), "\(echo): \(answer.message.content)")
            var error = GenerationError(.invalidRequest, "a \(echo).")
            error.providerCode = echo
            let passed = gate.pass(error)
            #expect(!passed.message.contains(echo) && passed.message.hasPrefix("a <secret>"), "\(passed.message)")
            #expect(!passed.providerCode.contains(echo), "\(passed.providerCode)")
        }
        // Short secrets are removed from error texts, but not from what a model generates.
        let short = SecretSet(token: nil, headers: ["Authorization": "Basic dXNlcjpzaG9ydA=="])
        #expect(SecretSet.scrub("it is short", short.inWords) == "it is <secret>")
        #expect(SecretSet.scrub("it is short", short.inContent) == "it is short")
    }

    /// Truncation marks its place, and the gate finds the part of a secret before the mark.
    @Test func aCutSecretIsFoundWhereverWordsWereCut() throws {
        let harness = try DialectHarness("openai") { $0.apiKey = Secret("secret-name-0123456789") }
        let gate = try harness.gate()
        for offset in 60..<100 {
            let name = String(repeating: "n", count: offset) + "secret-name-0123456789"
            let call = #"{"index":0,"id":"a","function":{"name":"\#(name)","arguments":"{"}}"#
            let outcome = harness.stream(events: [
                #"{"choices":[{"delta":{"tool_calls":[\#(call)]},"finish_reason":"length"}]}"#, "[DONE]",
            ])
            let completion = try #require(outcome.completion)
            let passed = gate.pass(ChatResponse(message: Message(role: .assistant), completion: completion))
            let warning = try #require(passed.completion.warnings.first)
            #expect(!warning.contains("secret-n") && warning.contains("max_tokens"), "\(warning)")
        }
        for offset in 150..<200 {
            let location = "https://h/" + String(repeating: "p", count: offset) + "secret-name-0123456789/x"
            let message = gate.pass(try VendorErrorTests.redirect(to: location)).message
            #expect(!message.contains("secret-n") && message.contains("api_base"), "\(message)")
        }
        for offset in 40..<80 {
            let path = "$." + String(repeating: "p", count: offset) + "secret-name-0123456789[x"
            let error = #expect(throws: GenerationError.self) { try PartialArguments.steps(path) }
            let message = gate.pass(try #require(error)).message
            #expect(!message.contains("secret-n") && message.contains("has"), "\(message)")
        }
    }

    // MARK: - Streams

    /// The prefix that all keys of a kind share is public, and a response may end with it.
    @Test(arguments: [
        ("sk-ant-api03-Zq8Xw7Vu6Ts5Rr4Qp3", "sk-ant-api03-"), ("sk-proj-Zq8Xw7Vu6Ts5Rr4Qp3", "sk-proj-"),
        ("eyJhbGciOiJSUzI1NiJ9.eyJ4IjoxfQ.c2lnbmF0dXJl", "eyJhbGciOiJSUzI1NiJ9."),
    ])
    func thePublicBeginningOfAKeyIsOrdinaryText(_ key: String, _ beginning: String) throws {
        let harness = try DialectHarness("openai") { $0.apiKey = Secret(key) }
        for count in 1...(beginning.utf8.count + 7) {
            var gate = try harness.gate()
            let text = "Keys begin with " + key.prefix(count)
            #expect(gate.pass(.text(text)) == .text(text))
            #expect(gate.end().isEmpty)
        }
        // One byte more is part of the secret, so all of it is removed.
        var gate = try harness.gate()
        #expect(gate.pass(.text("a " + key.prefix(beginning.utf8.count + 8))) == .text("a "))
        #expect(gate.end() == [.text("<secret>")])
        gate = try harness.gate()
        #expect(gate.pass(.text(beginning)) == .text(beginning))
        #expect(gate.pass(.text(key.dropFirst(beginning.count) + "!")) == .text("<secret>!"))
    }

    /// The held bytes of one field are delivered before a piece of another.
    @Test func piecesKeepTheirOrder() throws {
        var gate = try DialectHarness("openai").gate()
        let call = ChunkEvent.toolCall(ToolCallDelta(index: 0, id: "a", name: "f", argumentsJSONDelta: "{}"))
        #expect(gate.flush(before: .text("x")).isEmpty)
        #expect(gate.pass(.text("a key-of-th")) == .text("a "))
        #expect(gate.flush(before: .text("x")).isEmpty)
        #expect(gate.flush(before: call) == [.text("<secret>")])
        #expect(gate.pass(call) == call)
        // The rest of the secret is still removed.
        #expect(gate.flush(before: .text("is-test")).isEmpty)
        #expect(gate.pass(.text("is-test!")) == .text("<secret>!"))
        #expect(gate.pass(.reasoning("key-of-th")) == nil)
        #expect(gate.flush(before: .text("b")) == [.reasoning("<secret>")])
        let half = ChunkEvent.toolCall(ToolCallDelta(index: 0, id: "", name: "", argumentsJSONDelta: "key-of-th"))
        #expect(gate.flush(before: half).isEmpty && gate.pass(half) == nil)
        let mark = ChunkEvent.toolCall(ToolCallDelta(index: 0, id: "", name: "", argumentsJSONDelta: "<secret>"))
        #expect(gate.flush(before: .reasoning("c")) == [mark] && gate.end().isEmpty)
    }

    /// Citations, further fields and what stands around the bytes of a part are texts of the provider's too.
    @Test func partsAndSourcesAreSearched() throws {
        var gate = try DialectHarness("openai").gate()
        let key = Self.key
        let image = Image(mimeType: "image/png", source: .url("https://x/?k=\(key)"))
        let clean = Image(mimeType: "image/png", source: .url("https://x/?k=<secret>"))
        #expect(gate.pass(.text("so key-of-th")) == .text("so "))
        // What is held back stands before the part.
        #expect(gate.flush(before: .part(.image(image))) == [.text("<secret>")])
        #expect(gate.pass(.part(.image(image))) == .part(.image(clean)))
        var completion = AnswerTrailer()
        completion.citations = [Citation(documentID: key, url: key, title: key, quote: key, start: 1, end: 2)]
        completion.extraJSON = #"{"a":"\#(key)"}"#
        let passed = gate.pass(
            ChatResponse(
                message: Message(role: .assistant, parts: [.text(key), .image(image)]), completion: completion))
        #expect(passed.message.parts == [.text("<secret>"), .image(clean)])
        let mark = "<secret>"
        #expect(
            passed.completion.citations == [
                Citation(documentID: mark, url: mark, title: mark, quote: mark, start: 1, end: 2)
            ])
        #expect(passed.completion.extraJSON == #"{"a":"<secret>"}"#)
    }

    private static func stream(_ pieces: [String], _ make: (String) -> ChunkEvent) throws -> (
        text: String, pieces: [String]
    ) {
        var gate = try DialectHarness("openai").gate()
        var out: [String] = []
        for event in pieces.compactMap({ gate.pass(make($0)) }) + gate.end() {
            switch event {
            case .text(let text), .reasoning(let text): out.append(text)
            case .toolCall(let piece): out.append(piece.argumentsJSONDelta)
            case .part: Issue.record("nothing here makes parts")
            }
        }
        return (out.joined(), out)
    }

    private static func inEveryForm(_ pieces: [String], _ check: (String, [String]) -> Void) throws {
        let forms: [(String) -> ChunkEvent] = [
            { .text($0) }, { .reasoning($0) },
            { .toolCall(ToolCallDelta(index: 0, id: "", name: "", argumentsJSONDelta: $0)) },
        ]
        for form in forms {
            let result = try stream(pieces, form)
            check(result.text, result.pieces)
        }
    }

    @Test func aKeyInOnePieceAndInMany() throws {
        try Self.inEveryForm(["so: key-of-this-test, ", "and key-of-this-testkey-of-this-test"]) { text, pieces in
            #expect(text == "so: <secret>, and <secret><secret>" && pieces.count == 2)
        }
        // However it is cut in two, at most seven bytes of it are delivered.
        for cut in 1..<Self.key.count {
            let (left, right) = (String(Self.key.prefix(cut)), String(Self.key.dropFirst(cut)))
            try Self.inEveryForm(["a " + left, right + " b"]) { text, _ in
                #expect(text == "a " + (cut < 8 ? left : "") + "<secret> b", "cut at \(cut)")
            }
        }
        try Self.inEveryForm(Self.key.map(String.init) + [" b"]) { text, _ in #expect(text == "key-of-<secret> b") }
    }

    /// A piece is held only while its end matches at least 8 bytes of a secret's beginning, and released at a mismatch.
    @Test func ordinaryPiecesAreNotHeldBack() throws {
        let ordinary = [
            "k", "ke", "key", " key-of-", "the-kingdom", "key-of-", "k", "é", "", "🎈 key-of-t", "ime",
            "key-of-this-tes!",
        ]
        let (text, pieces) = try Self.stream(ordinary) { .text($0) }
        #expect(text == ordinary.joined())
        // A piece was held in part and delivered with the next; empty pieces are not delivered.
        #expect(
            pieces == [
                "k", "ke", "key", " key-of-", "the-kingdom", "key-of-", "k", "é", "🎈 ", "key-of-time",
                "key-of-this-tes!",
            ])
        // Ends with the beginning of a secret, without containing one.
        #expect(try Self.stream(["x key-of-this-tes"]) { .text($0) }.text == "x <secret>")
        #expect(try Self.stream(["x key-of-"]) { .text($0) }.text == "x key-of-")
    }

    @Test func callsAreSearchedEachByItself() throws {
        var gate = try DialectHarness("openai").gate()
        func piece(_ index: Int, _ arguments: String, id: String = "") -> ChunkEvent {
            .toolCall(ToolCallDelta(index: index, id: id, name: id, argumentsJSONDelta: arguments))
        }
        #expect(gate.pass(piece(0, "key-of-this", id: "a")) == piece(0, "", id: "a"))
        #expect(gate.pass(piece(1, "key-of-this", id: "b")) == piece(1, "", id: "b"))
        #expect(gate.pass(piece(0, "-test")) == piece(0, "<secret>"))
        #expect(gate.pass(piece(1, "-time")) == piece(1, "key-of-this-time"))
        #expect(gate.pass(piece(1, "")) == piece(1, ""))
        #expect(gate.pass(piece(1, "key-of-this")) == nil)
        #expect(gate.end() == [piece(1, "<secret>")] && gate.end().isEmpty)
    }

    /// Random texts over few letters, in which a secret may begin anywhere, in random pieces.
    @Test(arguments: 0..<400)
    func noSlicingLetsASecretThrough(_ seed: UInt64) throws {
        var random = SeededNumbers(seed)
        func letters(_ count: Int, _ alphabet: String) -> String {
            String((0..<count).map { _ in alphabet.randomElement(using: &random) ?? "a" })
        }
        let alphabet = seed % 2 == 0 ? "ab" : "abc"
        let secrets = (0..<Int.random(in: 1...3, using: &random)).map { _ in
            letters(Int.random(in: 12...20, using: &random), alphabet)
        }
        var text = ""
        while text.utf8.count < 300 {
            switch Int.random(in: 0..<4, using: &random) {
            case 0: text += secrets.randomElement(using: &random) ?? ""
            case 1: text += (secrets.randomElement(using: &random) ?? "").prefix(Int.random(in: 1...11, using: &random))
            case 2: text += "é "
            default: text += letters(Int.random(in: 1...9, using: &random), alphabet + "xyz ")
            }
        }
        var splice = SecretSplice()
        var out = ""
        var rest = Substring(text)
        var taken = 0
        while !rest.isEmpty {
            let piece = String(rest.prefix(Int.random(in: 1...15, using: &random)))
            rest = rest.dropFirst(piece.count)
            taken += piece.utf8.count
            let before = out
            out += splice.add(piece, secrets.map { Secret($0) })
            #expect(out.hasPrefix(before))
            // Never holds more than the length of a secret.
            if !out.contains("<") { #expect(taken - out.utf8.count < 20) }
        }
        out += splice.flush()
        for secret in secrets { try #require(!out.contains(secret), "\(secret) in \(out)") }
        // Nothing else is lost: the parts between the marks appear in the text, in order.
        var place = text.startIndex
        for part in out.components("<secret>") where !part.isEmpty {
            let found = try #require(text[place...].firstRange(of: part), "'\(part)' of \(out) in \(text)")
            place = found.lowerBound
        }
        if !secrets.contains(where: { text.contains($0) }), splice.isIdle, !out.hasSuffix("<secret>") {
            #expect(out == text)
        }
    }
}

extension String {
    /// The parts between occurrences of `separator`.
    fileprivate func components(_ separator: String) -> [Substring] { split(separator: separator) }
}
