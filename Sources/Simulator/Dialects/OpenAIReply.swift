internal import JSON

/// A generated chat completion, unary or as events.
struct OpenAIReply {
    /// The differences of a vendor from OpenAI.
    struct Variant {
        /// Groq's usage and ids in `x_groq`, and its controls for reasoning.
        var isGroq = false
        /// Azure's content filter results.
        var isAzure = false

        /// The vendor whose strictness rules apply.
        var vendor: Strictness.Vendor { isGroq ? .groq : isAzure ? .azureOpenAI : .openAI }
    }

    private let body: JSONValue
    private let subject: Strictness.Subject
    private var model: String { subject.model }
    private let variant: Variant
    private let id: String
    private var reply: SimulatedReply
    private let callIDs: [String]

    init(_ body: JSONValue, _ options: SimulatorOptions, variant: Variant, subject: Strictness.Subject) {
        self.body = body
        self.variant = variant
        self.subject = subject
        id = "chatcmpl-" + SimulatedReply.randomName(29)
        reply = SimulatedReply(Self.prompt(body, subject), options)
        callIDs = reply.calls.map { _ in "call_" + SimulatedReply.randomName(24) }
    }

    // MARK: - The prompt

    private static func text(of message: JSONValue?) -> String {
        guard let content = message?["content"] else { return "" }
        return content.string ?? (content.array ?? []).compactMap { $0["text"]?.string }.joined(separator: " ")
    }

    private static func prompt(_ body: JSONValue, _ subject: Strictness.Subject) -> SimulatedPrompt {
        let messages = body["messages"]?.array ?? []
        var prompt = SimulatedPrompt()
        prompt.model = subject.model
        prompt.question = text(of: messages.last { $0["role"]?.string == "user" })
        prompt.results = messages.reversed().prefix { $0["role"]?.string == "tool" }.reversed().map { text(of: $0) }
        prompt.images =
            messages.last { $0["role"]?.string == "user" }?["content"]?.array?.count {
                $0["type"]?.string == "image_url"
            } ?? 0
        prompt.tools = (body["tools"]?.array ?? []).compactMap { tool in
            tool["function"]?["name"]?.string.map {
                (name: $0, schema: tool["function"]?["parameters"] ?? ["type": "object"])
            }
        }
        prompt.choice =
            switch body["tool_choice"]?.string {
            case "none": .none
            case "required": .required
            default: body["tool_choice"]?["function"]?["name"]?.string.map { .named($0) } ?? .auto
            }
        prompt.allowsParallel = body["parallel_tool_calls"]?.bool != false
        if let format = body["response_format"], format["type"]?.string != "text" {
            prompt.schema =
                format["json_schema"]?["schema"] ?? ["type": "object", "properties": ["answer": ["type": "string"]]]
        }
        prompt.stops = body["stop"]?.array?.compactMap(\.string) ?? [body["stop"]?.string].compactMap { $0 }
        prompt.limit = body["max_completion_tokens"]?.int ?? body["max_tokens"]?.int
        prompt.thinks = Strictness.shared.has(.thinks, subject)
        prompt.inputText = messages.map { text(of: $0) }.joined()
        return prompt
    }

    // MARK: - Encoding

    private var finishReason: String {
        switch reply.end {
        case .stop, .refusal: "stop"
        case .length: "length"
        case .calls: "tool_calls"
        }
    }

    private var isRefusal: Bool { reply.end == .refusal }

    private var usage: JSONValue {
        let output = reply.outputTokens + reply.reasoningTokens
        var usage: [(key: String, value: JSONValue)] = [
            ("prompt_tokens", .int(reply.inputTokens)), ("completion_tokens", .int(output)),
            ("total_tokens", .int(reply.inputTokens + output)),
            ("prompt_tokens_details", ["cached_tokens": 0, "audio_tokens": 0]),
            (
                "completion_tokens_details",
                ["reasoning_tokens": .int(reply.reasoningTokens), "audio_tokens": 0]
            ),
        ]
        if variant.isGroq {
            usage =
                [("queue_time", 0.01), ("prompt_time", 0.002), ("completion_time", 0.05), ("total_time", 0.052)]
                + usage
        }
        return .object(usage)
    }

    /// The name of the member with the reasoning, and its text; `nil` if there is no such member.
    private var shownReasoning: (key: String, words: String)? {
        guard !reply.reasoning.isEmpty else { return nil }
        if variant.isGroq {
            if body["include_reasoning"]?.bool == false || body["reasoning_format"]?.string == "hidden" { return nil }
            return rawThinking == nil ? ("reasoning", reply.reasoning) : nil
        }
        return Strictness.shared.has(.reasoningContent, subject) ? ("reasoning_content", reply.reasoning) : nil
    }

    /// By default, Groq returns the reasoning of some models as part of the text.
    private var rawThinking: String? {
        guard variant.isGroq, !reply.reasoning.isEmpty, Strictness.shared.has(.rawThinking, subject),
            ["raw", nil].contains(body["reasoning_format"]?.string), body["include_reasoning"] == nil
        else { return nil }
        return "<think>\n\(reply.reasoning)\n</think>\n\n"
    }

    private var text: String { (rawThinking ?? "") + reply.text }

    private static let filtered: JSONValue = [
        "hate": ["filtered": false, "severity": "safe"], "self_harm": ["filtered": false, "severity": "safe"],
        "sexual": ["filtered": false, "severity": "safe"], "violence": ["filtered": false, "severity": "safe"],
    ]
    private static let promptFiltered: JSONValue = [
        ["prompt_index": 0, "content_filter_results": filtered]
    ]

    private var callsJSON: JSONValue {
        .array(
            zip(reply.calls, callIDs).map { call, id in
                [
                    "id": .string(id), "type": "function",
                    "function": ["name": .string(call.name), "arguments": .string(call.arguments.text)],
                ]
            })
    }

    var whole: JSONValue {
        var message: [(key: String, value: JSONValue)] = [("role", "assistant")]
        message.append(("content", reply.calls.isEmpty && !isRefusal ? .string(text) : nil))
        if !variant.isGroq { message.append(("refusal", isRefusal ? .string(text) : nil)) }
        if let shown = shownReasoning { message.append((shown.key, .string(shown.words))) }
        if !reply.calls.isEmpty { message.append(("tool_calls", callsJSON)) }
        let count = max(1, min(8, body["n"]?.int ?? 1))
        var members: [(key: String, value: JSONValue)] = [
            ("id", .string(id)), ("object", "chat.completion"), ("created", 1_764_000_000), ("model", .string(model)),
            (
                "choices",
                .array(
                    (0..<count).map { index in
                        var choice: [(key: String, value: JSONValue)] = [
                            ("index", .int(index)), ("message", .object(message)), ("logprobs", nil),
                            ("finish_reason", .string(finishReason)),
                        ]
                        if variant.isAzure { choice.append(("content_filter_results", Self.filtered)) }
                        return .object(choice)
                    })
            ), ("usage", usage), ("system_fingerprint", "fp_simulated"),
        ]
        if variant.isAzure { members.append(("prompt_filter_results", Self.promptFiltered)) }
        if variant.isGroq { members.append(("x_groq", ["id": .string("req_" + id.suffix(20))])) }
        if !variant.isGroq { members.append(("service_tier", "default")) }
        return .object(members)
    }

    var events: [String] {
        let asksUsage = body["stream_options"]?["include_usage"]?.bool == true
        func event(_ choices: JSONValue, usage: JSONValue? = nil, more: [(key: String, value: JSONValue)] = [])
            -> String
        {
            var members: [(key: String, value: JSONValue)] = [
                ("id", .string(id)), ("object", "chat.completion.chunk"), ("created", 1_764_000_000),
                ("model", .string(model)), ("system_fingerprint", "fp_simulated"), ("choices", choices),
            ]
            if !variant.isGroq { members.append(("service_tier", "default")) }
            if asksUsage { members.append(("usage", usage ?? nil)) }
            return "data: \(JSONValue.object(members + more).text)\n\n"
        }
        func delta(
            _ delta: JSONValue, finish: JSONValue = nil, usage: JSONValue? = nil,
            more: [(key: String, value: JSONValue)] = []
        ) -> String {
            event(
                [["index": 0, "delta": delta, "logprobs": nil, "finish_reason": finish]], usage: usage, more: more)
        }
        var events: [String] = []
        if variant.isAzure {
            // The first event has only filter results; everything else in it is empty.
            let first: JSONValue = [
                "choices": [], "created": 0, "id": "", "model": "", "object": "",
                "prompt_filter_results": Self.promptFiltered,
            ]
            events.append("data: \(first.text)\n\n")
        }
        let start: JSONValue =
            variant.isGroq
            ? ["role": "assistant", "content": reply.calls.isEmpty ? "" : nil]
            : ["role": "assistant", "content": reply.calls.isEmpty ? "" : nil, "refusal": nil]
        events.append(
            delta(start, more: variant.isGroq ? [("x_groq", ["id": .string("req_" + id.suffix(20))])] : []))
        if let shown = shownReasoning {
            for word in SimulatedReply.words(shown.words) {
                var members: [(key: String, value: JSONValue)] = [(shown.key, .string(word))]
                if variant.isGroq { members.append(("channel", "analysis")) }
                events.append(delta(.object(members)))
            }
        }
        for word in SimulatedReply.words(text) {
            events.append(delta(isRefusal ? ["refusal": .string(word)] : ["content": .string(word)]))
        }
        events += callEvents { delta($0) }
        if variant.isAzure {
            // The asynchronous filter reports its results in a choice without a delta.
            events.append(
                event([["index": 0, "finish_reason": nil, "content_filter_results": Self.filtered]]))
        }
        if variant.isGroq {
            events.append(
                delta(
                    [:], finish: .string(finishReason), usage: usage,
                    more: [("x_groq", ["id": .string("req_" + id.suffix(20)), "usage": usage])]))
        } else {
            events.append(delta([:], finish: .string(finishReason)))
            if asksUsage { events.append(event([], usage: usage)) }
        }
        events.append("data: [DONE]\n\n")
        return events
    }

    /// Groq sends a call in one piece, the others in many.
    private func callEvents(_ delta: (JSONValue) -> String) -> [String] {
        var events: [String] = []
        for (index, (call, id)) in zip(reply.calls, callIDs).enumerated() {
            let arguments = call.arguments.text
            events.append(
                delta([
                    "tool_calls": [
                        [
                            "index": .int(index), "id": .string(id), "type": "function",
                            "function": [
                                "name": .string(call.name), "arguments": .string(variant.isGroq ? arguments : ""),
                            ],
                        ]
                    ]
                ]))
            guard !variant.isGroq else { continue }
            for piece in SimulatedReply.slices(arguments, 8) {
                events.append(
                    delta(["tool_calls": [["index": .int(index), "function": ["arguments": .string(piece)]]]]))
            }
        }
        return events
    }
}
