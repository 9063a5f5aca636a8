import Foundation
import Generation
import JSON
import Messages
import Testing

@testable import Providers

/// Requests that are large in every possible part, through the message reader and every dialect.
///
/// The limit is CPU time of the test's thread, regardless of other load: an input of 64 KiB takes some milliseconds if
/// the work is linear, and many seconds if it is quadratic.
@Suite struct RequestFuzzTests {
    private static let rounds =
        (ProcessInfo.processInfo.environment["GENWIRE_FUZZ_ROUNDS"].flatMap { Int($0) } ?? 500) / 10
    /// The maximum size of an input in bytes.
    private static let size = 64 << 10

    private static let models = [
        "openai", "groq", "anthropic", "anthropic_vertex", "gemini", "vertex",
    ]
    .compactMap { fuzzModel($0) }

    /// Members that the encoders look for.
    private static let words = [
        #""anyOf":[]"#, #""type":"object""#, #""type":["string","null"]"#, #""nullable":true"#,
        #""enum":["a"]"#,
        #""properties":{}"#, #""properties":{"a":{"type":"string"}}"#, #""items":{}"#,
        #""k":1"#,
        #""anyOf":[{"type":"null"},{"type":"string"}]"#, #""required":["a"]"#, #""x":"\\ud83d\\u0001\\n""#,
        #""text":0"#, #""call":0"#, #""block":{"a":[1,2]}"#, #""signature":"s""#, #""default":null"#,
        #""$ref":"x""#,
    ]

    /// Builds requests in which one part is as large as the size allows.
    private struct Maker {
        var random: Damage

        /// Returns JSON text made of the members that the encoders look for, wide or deep, with repeated keys.
        mutating func json(_ size: Int) -> String {
            let openings = [
                (#"{"properties":{"a":"#, "}}"), (#"{"items":"#, "}"), (#"{"anyOf":[{"type":"null"},"#, "]}"),
                ("[", "]"),
            ]
            let piece = RequestFuzzTests.words[random.next(RequestFuzzTests.words.count)]
            switch random.next(4) {
            case 0:
                let (opening, closing) = openings[random.next(openings.count)]
                let depth = min(size / (opening.utf8.count + closing.utf8.count), 1 + random.next(300))
                return String(repeating: opening, count: depth) + "{\(piece)}"
                    + String(repeating: closing, count: depth)
            case 1:
                let count = max(1, size / (piece.utf8.count + 3))
                return "{\"properties\":[" + Array(repeating: "{\(piece)}", count: count).joined(separator: ",") + "]}"
            case 2: return String(repeating: ["[", "{\"a\":", "\"", "\\"][random.next(4)], count: size / 5)
            default:
                let count = max(1, size / (piece.utf8.count + 1))
                let other = RequestFuzzTests.words[random.next(RequestFuzzTests.words.count)]
                return "{" + Array(repeating: piece, count: count).joined(separator: ",") + "," + other + "}"
            }
        }

        mutating func text(_ size: Int) -> String {
            let piece = ["a", "\"", "\u{1}", "\n", "e\u{301}", "\u{1F600}", "?.", "data:;base64,QQ=="][random.next(8)]
            return String(repeating: piece, count: size / piece.utf8.count)
        }

        mutating func request() -> ChatRequest {
            let size = RequestFuzzTests.size
            var request = ChatRequest(messages: [Message(role: .user, content: "x")])
            let state = { (content: String) in Array(#"{"claude":[\(content)],"gemini":[\(content)]}"#.utf8) }
            switch random.next(9) {
            case 0: request.tools = [Tool(name: "f", parametersJSON: json(size))]
            case 1: request.tools = (0..<200).map { Tool(name: "f\($0)", parametersJSON: json(size / 200)) }
            case 2: request.options.responseFormat = .jsonSchema(schema: json(size), name: "n", strict: nil)
            case 3: request.messages[0].content = text(size)
            case 4:
                request.messages = (0..<2000).map { Message(role: $0 % 2 == 0 ? .user : .assistant, content: "x\($0)") }
            case 5:
                let source = MediaSource.url(text(size / 500))
                request.messages[0].parts = (0..<500).map { index in
                    index % 2 == 0
                        ? .image(Image(mimeType: "image/png", source: .data([UInt8](repeating: 1, count: 100))))
                        : .file(File(mimeType: "", name: "n", source: source))
                }
            case 6:
                let call = ToolCall(id: "c", name: "f", argumentsJSON: json(size / 2), providerState: state(json(100)))
                request.messages += [
                    Message(role: .assistant, toolCalls: [call]),
                    Message(role: .tool, content: json(size / 2), toolCallID: "c"),
                ]
            case 7:
                let calls = (0..<1000).map { ToolCall(id: "c\($0)", name: "f", argumentsJSON: "{}") }
                request.messages.append(Message(role: .assistant, content: text(1000), toolCalls: calls))
                request.messages += calls.map { Message(role: .tool, content: "r", toolCallID: $0.id) }
            default:
                request.messages.append(
                    Message(role: .assistant, content: text(500), providerState: state(json(size / 2))))
            }
            return request
        }
    }

    /// Repeats each member many times, as a schema, as arguments and as a vendor's state.
    @Test(arguments: words)
    func aMemberAgainAndAgain(_ word: String) throws {
        let json = "{" + Array(repeating: word, count: Self.size / word.utf8.count).joined(separator: ",") + "}"
        let user = Message(role: .user, content: "x")
        let call = ToolCall(id: "c", name: "f", argumentsJSON: json)
        var format = ChatRequest(messages: [user])
        format.options.responseFormat = .jsonSchema(schema: json, name: "n", strict: nil)
        let state = Array(#"{"claude":[\(json)],"gemini":[\(json)]}"#.utf8)
        for request in [
            ChatRequest(messages: [user], tools: [Tool(name: "f", parametersJSON: json)]), format,
            ChatRequest(messages: [
                user, Message(role: .assistant, toolCalls: [call]),
                Message(role: .tool, content: json, toolCallID: "c"),
            ]),
            ChatRequest(messages: [user, Message(role: .assistant, content: "x", providerState: state)]),
        ] {
            check(request, word)
        }
    }

    @Test func requestsTakeLinearTime() throws {
        let coder = MessageCoder()
        #expect(Self.models.count == 6)
        for round in 0..<Self.rounds {
            var maker = Maker(random: Damage(UInt64(round)))
            let request = maker.request()
            var bytes = coder.encode(request)
            if maker.random.next(4) == 0 { bytes = maker.random.apply(to: bytes) }
            let begun = threadSeconds()
            let read = try? bytes.withUnsafeBytes { try coder.chatRequest($0) }.request
            _ = try? bytes.withUnsafeBytes { try coder.countTokensRequest($0) }
            #expect(threadSeconds() - begun < secondsPerInput, "reading, round \(round)")
            check(read ?? request, "round \(round)")
        }
    }

    private func check(_ request: ChatRequest, _ name: String) {
        for model in Self.models {
            let begun = threadSeconds()
            encode(request, for: model)
            #expect(threadSeconds() - begun < secondsPerInput, "\(model.providerName), \(name)")
        }
    }

    /// Encoding either returns valid JSON or throws an error that blames the caller.
    private func encode(_ request: ChatRequest, for model: ConfiguredModel) {
        do {
            let prepared = try PreparedRequest(request, for: model, isStream: true)
            let body = try model.body(model.api(for: request).dialect.encode(prepared, for: model), of: prepared)
            #expect(throws: Never.self) { try JSONParser().parse(body) }
        } catch let error as GenerationError {
            #expect(error.kind == .invalidRequest || error.kind == .unsupported, "\(error)")
        } catch {
            Issue.record("\(error)")
        }
    }
}
