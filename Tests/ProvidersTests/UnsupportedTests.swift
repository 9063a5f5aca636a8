import Generation
import JSON
import Testing

@testable import Providers

/// What a caller asks for is sent, refused, or dropped with a warning: never ignored.
@Suite struct UnsupportedTests {
    private struct Wish: CustomStringConvertible, Sendable {
        /// What stands in the body if it is sent.
        let mark: String
        /// What an error or a warning calls it.
        let field: String
        let change: @Sendable (inout ChatRequest) -> Void

        var description: String { field }
    }

    private static let wishes = [
        Wish(mark: "MARK", field: "options.prompt_cache_key") { $0.options.promptCacheKey = "MARK" },
        Wish(mark: "MARK", field: "options.cached_content") { $0.options.cachedContent = "MARK" },
        Wish(mark: "flex", field: "options.service_tier") { $0.options.serviceTier = "flex" },
        Wish(mark: #""low""#, field: "options.verbosity") { $0.options.verbosity = "low" },
        Wish(mark: "MARK", field: "options.extra_json") { $0.options.extraJSON = #"{"MARK":1}"# },
        Wish(mark: "cache_control", field: "cache_breakpoint") {
            $0.messages[0].parts = [Part(.text("x"), cacheBreakpoint: CacheBreakpoint(ttl: "1h"))]
        },
        Wish(mark: "cache_control", field: "cache_breakpoint") {
            $0.tools = [Tool(name: "f", cacheBreakpoint: CacheBreakpoint(ttl: "5m"))]
        },
        Wish(mark: "MARK", field: "tools.builtin") { $0.tools = [Tool(builtin: BuiltinTool(type: "MARK"))] },
        Wish(mark: "AQID", field: "parts.audio") {
            $0.messages[0].parts = [.audio(Audio(mimeType: "audio/wav", source: .data([1, 2, 3])))]
        },
    ]

    private static let providers = ProviderRegistry.names

    private static func request(_ wish: Wish, drops: Bool) -> ChatRequest {
        var request = ChatRequest(messages: [Message(role: .user, content: "Hello")])
        request.options.dropUnsupported = drops
        wish.change(&request)
        return request
    }

    @Test(arguments: providers, wishes.indices) func nothingIsIgnored(_ provider: String, _ index: Int) throws {
        let wish = Self.wishes[index]
        let harness = try DialectHarness(provider)
        do {
            #expect(try harness.body(Self.request(wish, drops: false)).text.contains(wish.mark), "\(provider), \(wish)")
        } catch let error as GenerationError {
            #expect(error.kind == .unsupported && error.message.contains(wish.field), "\(provider), \(wish): \(error)")
        }
        do {
            let (body, warnings) = try harness.encode(Self.request(wish, drops: true))
            let isWarned = warnings.contains { $0.contains(wish.field) }
            #expect(body.text.contains(wish.mark) != isWarned, "\(provider), \(wish): \(warnings), \(body.text)")
        } catch let error as GenerationError {
            // Content is never dropped.
            #expect(error.kind == .unsupported && wish.field.hasPrefix("parts."), "\(provider), \(wish): \(error)")
        }
    }

    @Test func aResultMarkedAsAFailure() throws {
        let call = ToolCall(id: "c", name: "f", argumentsJSON: "{}")
        let request = ChatRequest(messages: [
            Message(role: .user, content: "Hello"), Message(role: .assistant, toolCalls: [call]),
            Message(role: .tool, content: "no such city", toolCallID: "c", isError: true),
        ])
        for provider in Self.providers {
            let (body, warnings) = try DialectHarness(provider).encode(request)
            #expect(body.text.contains("no such city"))
            let isSent = body.text.contains("is_error") || body.text.contains(#""error""#)
            #expect(isSent != warnings.contains { $0.contains("is_error") }, "\(provider): \(warnings)")
        }
    }

    @Test func whatMakesNoSenseIsRefused() throws {
        let harness = try DialectHarness("anthropic")
        var request = ChatRequest(messages: [Message(role: .user, content: "Hello", isError: true)])
        #expect(throws: GenerationError.self) { try harness.body(request) }
        request.messages[0].isError = false
        for tool in [Tool(builtin: BuiltinTool(type: "")), Self.mixed] {
            request.tools = [tool]
            let error = #expect(throws: GenerationError.self) { try harness.body(request) }
            #expect(error?.kind == .invalidRequest && error?.message.contains("tools.builtin") == true)
        }
    }

    private static var mixed: Tool {
        var tool = Tool(builtin: BuiltinTool(type: "web_search"))
        tool.name = "web_search"
        return tool
    }
}
