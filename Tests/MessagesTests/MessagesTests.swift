import Generation
import Messages
import Testing

/// Values through the wire and back.
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
                    ], name: "bob"),
                Message(
                    role: .assistant,
                    toolCalls: [ToolCall(id: "i", name: "f", argumentsJSON: "{}", providerState: [7])],
                    reasoning: "r", providerState: [1, 0, 2]),
                Message(role: .tool, content: "18", toolCallID: "i"),
            ],
            tools: [Tool(name: "f", description: "d", parametersJSON: "{}", strict: false), Tool(name: "g")],
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
        var completion = Completion()
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
        for reason in FinishReason.allCases {
            completion.finishReason = reason
            let response = ChatResponse(message: Self.request.messages[2], completion: completion)
            let encoded = bytes { coder.encode(response, into: $0) }
            #expect(try encoded.withUnsafeBytes { try coder.chatResponse($0) } == response)
        }
        for event in [
            ChunkEvent.text("t\u{0}"), .text(""), .reasoning("r"),
            .toolCall(ToolCallDelta(index: 2, id: "i", name: "n", argumentsJSONDelta: "{", providerState: [1])),
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
        let bomb = [UInt8](repeating: 0, count: 4 << 20).enumerated().map { $0.offset % 2 == 0 ? UInt8(0x12) : 0 }
        #expect(throws: MessageError.self) { try bomb.withUnsafeBytes { try coder.chatRequest($0) } }
        // Not UTF-8.
        #expect(throws: MessageError.self) {
            try [UInt8]([0x0A, 1, 0xFF]).withUnsafeBytes { try coder.chatRequest($0) }
        }
    }
}
