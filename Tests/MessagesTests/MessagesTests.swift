import Generation
import Testing

@testable import Messages

/// Values encoded to the wire and decoded again.
@Suite struct MessagesTests {
    private let coder = MessageCoder()

    private func bytes(_ body: ((Int, (UnsafeMutableRawPointer) -> Void) -> [UInt8]) -> [UInt8]) -> [UInt8] {
        body { size, fill in
            [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                if let base = buffer.baseAddress, size > 0 { fill(base) }
                count = size
            }
        }
    }

    static let request: ChatRequest = {
        var request = ChatRequest(
            model: "m",
            messages: [
                Message(role: .system, content: "s\u{0}é🦊"),
                Message(
                    role: .user, content: "u",
                    parts: [
                        .text("t"), .image(Image(mimeType: "image/png", source: .data([0, 1, 255]), detail: "low")),
                        .image(Image(mimeType: "", source: .url("http://x"))),
                        .file(File(mimeType: "application/pdf", name: "n", source: .data([9]))),
                        .file(File(mimeType: "", source: .url("u"))),
                        .audio(Audio(mimeType: "audio/wav", source: .data([5]))),
                        .audio(Audio(mimeType: "", source: .url("a"))),
                        Part(.text("cached"), cacheBreakpoint: CacheBreakpoint()),
                        Part(.text("longer"), cacheBreakpoint: CacheBreakpoint(ttl: "1h")),
                    ], name: "bob"),
                Message(
                    role: .assistant,
                    toolCalls: [ToolCall(id: "i", name: "f", argumentsJSON: "{}", providerState: [7])],
                    reasoning: "r", providerState: [1, 0, 2]),
                Message(role: .tool, content: "18", toolCallID: "i", isError: true),
            ],
            tools: [
                Tool(name: "f", description: "d", parametersJSON: "{}", strict: false),
                Tool(name: "g", cacheBreakpoint: CacheBreakpoint(ttl: "5m")),
                Tool(builtin: BuiltinTool(type: "search", configJSON: "{}"), cacheBreakpoint: CacheBreakpoint()),
            ],
            toolChoice: .named("f"))
        request.options.maxTokens = 0
        request.options.temperature = 0
        request.options.topP = 0.5
        request.options.topK = 3
        request.options.stop = ["a", ""]
        request.options.seed = -1
        request.options.presencePenalty = -2
        request.options.frequencyPenalty = 0
        request.options.responseFormat = .jsonSchema(schema: "{}", name: "n", strict: true)
        request.options.reasoning.effort = "low"
        request.options.reasoning.budgetTokens = 0
        request.options.reasoning.include = true
        request.options.parallelToolCalls = false
        request.options.user = "u"
        request.options.cache.mode = .refresh
        request.options.cache.ttlSeconds = 0
        request.options.fallbacks = ["x"]
        request.options.dropUnsupported = true
        request.options.promptCacheKey = "k"
        request.options.cachedContent = "cc"
        request.options.serviceTier = "flex"
        request.options.verbosity = "low"
        request.options.extraJSON = #"{"n":2}"#
        request.options.includeExtra = true
        return request
    }()

    @Test func requestsRoundTrip() throws {
        var call = CallFields()
        call.callID = "c"
        call.deadlineMilliseconds = 5
        for request in [Self.request, ChatRequest(messages: [Message(role: .user)])] {
            let read = try coder.encode(request, call: call).withUnsafeBytes { try coder.chatRequest($0) }
            #expect(read.request == request)
            #expect(read.call == call)
        }
        for choice in [ToolChoice.auto, .none, .required] {
            var request = Self.request
            request.toolChoice = choice
            #expect(try coder.encode(request).withUnsafeBytes { try coder.chatRequest($0) }.request == request)
        }
    }

    @Test func answersRoundTrip() throws {
        var completion = AnswerTrailer()
        completion.id = "i"
        completion.model = "m"
        completion.provider = "p"
        completion.rawFinishReason = "stop"
        completion.usage.inputTokens = 5
        completion.usage.source = .provider
        completion.timing.totalMicroseconds = 7
        completion.attempts = [Attempt(model: "a", provider: "p", status: 200, error: "", durationMicroseconds: 3)]
        completion.cache.hit = true
        completion.providerRequestID = "r"
        completion.warnings = ["w"]
        completion.usage.cacheWriteInputTokens = 4
        completion.citations = [
            Citation(documentID: "d", url: "u", title: "t", quote: "q", start: 3, end: 9), Citation(),
        ]
        completion.extraJSON = "{}"
        for reason in FinishReason.allCases {
            completion.finishReason = reason
            var response = ChatResponse(message: Self.request.messages[2], completion: completion)
            response.message.parts = [.image(Image(mimeType: "image/png", source: .data([1])))]
            let encoded = bytes { coder.encode(response, into: $0) }
            #expect(try encoded.withUnsafeBytes { try coder.chatResponse($0) } == response)
        }
        for event in [
            ChunkEvent.text("t\u{0}"), .text(""), .reasoning("r"),
            .toolCall(ToolCallDelta(index: 2, id: "i", name: "n", argumentsJSONDelta: "{", providerState: [1])),
            .part(.image(Image(mimeType: "image/png", source: .data([0, 255])))),
        ] {
            let encoded = bytes { coder.encode(event, seq: 9, into: $0) }
            let read = try encoded.withUnsafeBytes { try coder.chatChunk($0) }
            #expect(read.seq == 9 && read.content == .event(event))
        }
        completion.providerState = [3]
        let end = bytes { coder.encode(completion, seq: 4, chunkCount: 4, into: $0) }
        #expect(try end.withUnsafeBytes { try coder.chatChunk($0) }.content == .completed(completion, chunkCount: 4))
        var error = GenerationError(.rateLimit, "slow")
        error.retryAfterMilliseconds = 5
        error.timeoutPhase = .idle
        error.httpStatus = 429
        error.attempts = completion.attempts
        #expect(try coder.encode(error).withUnsafeBytes { try coder.generationError($0, message: "slow") } == error)
    }

    @Test func embeddingsRoundTrip() throws {
        var call = CallFields()
        call.callID = "c"
        call.deadlineMilliseconds = 5
        let request = EmbedRequest(
            model: "m", inputs: ["a", "", "\u{0}é"], dimensions: 0, inputType: "query", dropUnsupported: true)
        for request in [request, EmbedRequest(inputs: [])] {
            let read = try coder.encode(request, call: call).withUnsafeBytes { try coder.embedRequest($0) }
            #expect(read.request == request && read.call == call)
        }
        var response = EmbedResponse()
        response.model = "m"
        response.provider = "p"
        response.embeddings = [[1, -0.5, .greatestFiniteMagnitude], [], [0]]
        response.usage.inputTokens = 3
        response.usage.source = .provider
        response.attempts = [Attempt(model: "a", provider: "p", status: 200, error: "", durationMicroseconds: 3)]
        response.providerRequestID = "r"
        response.warnings = ["w"]
        let encoded = bytes { coder.encode(response, into: $0) }
        #expect(try encoded.withUnsafeBytes { try coder.embedResponse($0) } == response)
        // Packed: four bytes a number, without a tag each.
        response.embeddings = [Array(repeating: 0.25, count: 1000)]
        #expect(bytes { coder.encode(response, into: $0) }.count < 4100)
        let question = ModelQuestion(all: true, pattern: "gpt*")
        #expect(try coder.encode(question).withUnsafeBytes { try coder.modelQuestion($0) } == question)
    }

    /// Every repeated field has a maximum count, and every text that may reach an error or a log has a maximum length.
    @Test func requestsAreBounded() throws {
        func error(_ change: (inout ChatRequest) -> Void) -> String {
            var request = ChatRequest(messages: [Message(role: .user, content: "x")])
            change(&request)
            let bytes = coder.encode(request)
            do {
                _ = try bytes.withUnsafeBytes { try coder.chatRequest($0) }
                return ""
            } catch {
                return "\(error)"
            }
        }
        let message = Message(role: .user, content: "x")
        #expect(error { $0.messages = Array(repeating: message, count: 16_384) }.isEmpty)
        #expect(error { $0.messages = Array(repeating: message, count: 16_385) }.contains("messages has 16385"))
        #expect(
            error { request in
                request.messages = (0..<2).map { _ in
                    Message(role: .user, parts: Array(repeating: .text("x"), count: 8193))
                }
            }.contains("messages.parts has 16386"))
        let call = ToolCall(id: "c", name: "f", argumentsJSON: "")
        #expect(
            error { $0.messages[0].toolCalls = Array(repeating: call, count: 16_385) }.contains("messages.tool_calls"))
        #expect(error { $0.tools = Array(repeating: Tool(name: "f"), count: 1025) }.contains("tools has 1025"))
        #expect(error { $0.options.stop = Array(repeating: "s", count: 65) }.contains("options.stop"))
        #expect(error { $0.options.fallbacks = Array(repeating: "f", count: 17) }.contains("options.fallbacks"))
        let long = String(repeating: "n", count: 257)
        #expect(error { $0.model = long }.contains("model has 257 bytes"))
        #expect(error { $0.messages[0].name = long }.contains("messages.name"))
        #expect(error { $0.tools = [Tool(name: long)] }.contains("tools.name"))
        #expect(error { $0.toolChoice = .named(long) }.contains("tool_choice.name"))
        #expect(error { $0.options.fallbacks = [long] }.contains("options.fallbacks"))
        #expect(error { $0.options.user = String(repeating: "u", count: 4097) }.contains("options.user"))
        #expect(error { $0.options.reasoning.effort = long }.contains("options.reasoning.effort"))
        let part = Part(.text("x"), cacheBreakpoint: CacheBreakpoint(ttl: long))
        #expect(error { $0.messages[0].parts = [part] }.contains("cache_breakpoint.ttl"))
        let audio = Audio(mimeType: long, source: .data([1]))
        #expect(error { $0.messages[0].parts = [.audio(audio)] }.contains("parts.audio.mime_type"))
        #expect(error { $0.tools = [Tool(builtin: BuiltinTool(type: long))] }.contains("tools.builtin.type"))
        #expect(error { $0.options.serviceTier = long }.contains("options.service_tier"))
        #expect(error { $0.options.verbosity = long }.contains("options.verbosity"))
        let longer = String(repeating: "k", count: 4097)
        #expect(error { $0.options.promptCacheKey = longer }.contains("options.prompt_cache_key"))
        #expect(error { $0.options.cachedContent = longer }.contains("options.cached_content"))
        for inputs in [16_384, 16_385] {
            let bytes = coder.encode(EmbedRequest(inputs: Array(repeating: "", count: inputs)))
            let read = try? bytes.withUnsafeBytes { try coder.embedRequest($0) }
            #expect(read?.request.inputs.count == (inputs == 16_384 ? inputs : nil))
        }
        #expect(throws: MessageError.self) {
            try coder.encodeValidateAuthRequest(model: long, provider: "").withUnsafeBytes {
                try coder.validateAuthRequest($0)
            }
        }
        #expect(throws: MessageError.self) {
            try coder.encodeCancelRequest(callID: long).withUnsafeBytes { try coder.cancelRequest($0) }
        }
    }

    /// The memory of a large message is released at once, not with the next message.
    @Test func aLargeMessageLeavesNothingBehind() throws {
        let large = ChatRequest(messages: [Message(role: .user, content: String(repeating: "x", count: 1 << 20))])
        let bytes = coder.encode(large)
        let reader = MessageCoder()
        _ = try bytes.withUnsafeBytes { try reader.chatRequest($0) }
        #expect(!reader.arena.hasExtraMemory)
        _ = try? Array(bytes.dropLast(5)).withUnsafeBytes { try reader.chatRequest($0) }
        #expect(!reader.arena.hasExtraMemory)
    }

    @Test func hostileBytesAreAnErrorAndCostLittle() throws {
        let whole = coder.encode(Self.request)
        for cut in 0..<whole.count { _ = try? Array(whole[..<cut]).withUnsafeBytes { try coder.chatRequest($0) } }
        var state: UInt64 = 1
        for _ in 0..<2000 {
            var damaged = whole
            for _ in 0..<3 {
                state = state &* 6_364_136_223_846_793_005 &+ 1
                damaged[Int(state >> 33) % damaged.count] = UInt8(truncatingIfNeeded: state >> 20)
            }
            _ = try? damaged.withUnsafeBytes { try coder.chatRequest($0) }
        }
        // Two million empty messages in 4 MiB: protobuf-c alone would take 45 times that.
        let bomb = Array(String(repeating: "\u{12}\0", count: 2 << 20).utf8)
        #expect(throws: MessageError.self) { try bomb.withUnsafeBytes { try coder.chatRequest($0) } }
        // Invalid UTF-8.
        #expect(throws: MessageError.self) {
            try [UInt8]([0x0A, 1, 0xFF]).withUnsafeBytes { try coder.chatRequest($0) }
        }
    }
}
