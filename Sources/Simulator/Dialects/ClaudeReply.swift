internal import JSON

/// A generated response in Anthropic's format, unary or as events.
struct ClaudeReply {
    private let body: JSONValue
    private let subject: Strictness.Subject
    private var model: String { subject.model }
    private var isVertex: Bool { subject.vendor == .anthropicVertex }
    private let reply: SimulatedReply
    private let id: String
    private let callIDs: [String]

    init(_ body: JSONValue, _ subject: Strictness.Subject, _ options: SimulatorOptions) {
        self.body = body
        self.subject = subject
        reply = SimulatedReply(Self.prompt(body, subject.model), options)
        id = (subject.vendor == .anthropicVertex ? "msg_vrtx_" : "msg_") + SimulatedReply.randomName(22)
        callIDs = reply.calls.map { _ in "toolu_" + SimulatedReply.randomName(22) }
    }

    private static let boundMark = "Ym91bmQ"

    /// The signature of a thinking block. Blocks of some models are valid only for that model and as long as the first
    /// message of the conversation is the same.
    static func signature(_ words: String, _ subject: Strictness.Subject, _ body: JSONValue) -> String {
        guard Strictness.shared.has(.bindsThinking, subject) else { return SimulatedReply.signature(words) }
        let beginning = text(ofContent: body["messages"]?[0]?["content"])
        return boundMark + SimulatedReply.signature([subject.model, beginning, words].joined(separator: "\n"))
    }

    /// Whether a signature is from a model with the trait `binds_thinking`.
    static func isBound(_ signature: String) -> Bool { signature.hasPrefix(boundMark) }

    // MARK: - The prompt

    private static func text(ofContent content: JSONValue?) -> String {
        content?.string ?? (content?.array ?? []).compactMap { $0["text"]?.string }.joined(separator: " ")
    }

    /// All text that counts as input.
    static func text(of body: JSONValue) -> String {
        text(ofContent: body["system"])
            + (body["messages"]?.array ?? []).map { text(ofContent: $0["content"]) }.joined(separator: " ")
    }

    private static func prompt(_ body: JSONValue, _ model: String) -> SimulatedPrompt {
        let messages = body["messages"]?.array ?? []
        let last = messages.last?["content"]?.array ?? []
        let asked = messages.last { $0["role"]?.string == "user" && !text(ofContent: $0["content"]).isEmpty }
        var prompt = SimulatedPrompt()
        prompt.model = model
        prompt.question = text(ofContent: asked?["content"])
        prompt.results = last.filter { $0["type"]?.string == "tool_result" }.map { text(ofContent: $0["content"]) }
        prompt.images = last.count { $0["type"]?.string == "image" }
        prompt.tools = (body["tools"]?.array ?? []).map {
            (name: $0["name"]?.string ?? "", schema: $0["input_schema"] ?? ["type": "object"])
        }
        let choice = body["tool_choice"]
        prompt.choice =
            switch choice?["type"]?.string {
            case "any": .required
            case "tool": .named(choice?["name"]?.string ?? "")
            case "none": .none
            default: .auto
            }
        prompt.allowsParallel = choice?["disable_parallel_tool_use"]?.bool != true
        prompt.schema = body["output_config"]?["format"]?["schema"]
        prompt.stops = body["stop_sequences"]?.array?.compactMap(\.string) ?? []
        prompt.limit = body["max_tokens"]?.int
        let thinking = body["thinking"]?["type"]?.string ?? "disabled"
        prompt.thinks = thinking != "disabled"
        prompt.inputText = text(of: body)
        return prompt
    }

    // MARK: - Encoding

    private var stopReason: String {
        switch reply.end {
        case .stop: "end_turn"
        case .length: "max_tokens"
        case .calls: "tool_use"
        case .refusal: "refusal"
        }
    }

    private var stopDetails: JSONValue {
        reply.end == .refusal
            ? ["type": "refusal", "category": "cyber", "explanation": "This request was declined."] : nil
    }

    /// A refusal has no content.
    private var blocks: [JSONValue] {
        guard reply.end != .refusal else { return [] }
        var blocks: [JSONValue] = []
        if !reply.reasoning.isEmpty {
            blocks.append(
                model.contains("redacted")
                    ? ["type": "redacted_thinking", "data": "RW5jcnlwdGVk"]
                    : [
                        "type": "thinking", "thinking": .string(reply.reasoning),
                        "signature": .string(Self.signature(reply.reasoning, subject, body)),
                    ])
        }
        if !reply.text.isEmpty { blocks.append(["type": "text", "text": .string(reply.text)]) }
        for (call, id) in zip(reply.calls, callIDs) {
            blocks.append([
                "type": "tool_use", "id": .string(id), "name": .string(call.name), "input": call.arguments,
            ])
        }
        return blocks
    }

    private var outputTokens: Int { reply.outputTokens + reply.reasoningTokens }

    private func usage(_ output: Int) -> JSONValue {
        [
            "input_tokens": .int(reply.inputTokens), "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
            "output_tokens": .int(output), "service_tier": "standard",
        ]
    }

    private func message(_ blocks: [JSONValue], stop: JSONValue, details: JSONValue, output: Int) -> JSONValue {
        [
            "id": .string(id), "type": "message", "role": "assistant", "model": .string(model),
            "content": .array(blocks), "stop_reason": stop, "stop_sequence": nil, "stop_details": details,
            "usage": usage(output),
        ]
    }

    var whole: JSONValue {
        message(blocks, stop: .string(stopReason), details: stopDetails, output: outputTokens)
    }

    var events: [String] {
        func event(_ name: String, _ members: [(key: String, value: JSONValue)]) -> String {
            let text = JSONValue.object([(key: "type", value: .string(name))] + members).text
            // The vendor pads its lines to conceal the length of their contents.
            let padding = String(repeating: " ", count: text.count % 7)
            return "event: \(name)\ndata: \(text.dropLast())\(padding)}\n\n"
        }
        func delta(_ index: Int, _ type: String, _ key: String, _ value: String) -> String {
            event(
                "content_block_delta",
                [
                    ("index", .int(index)),
                    ("delta", .object([(key: "type", value: .string(type)), (key: key, value: .string(value))])),
                ])
        }
        var events: [String] = []
        if isVertex { events.append("event: vertex_event\ndata: {\"type\":\"vertex_event\"}\n\n") }
        events.append(event("message_start", [("message", message([], stop: nil, details: nil, output: 1))]))
        for (index, block) in blocks.enumerated() {
            let type = block["type"]?.string ?? ""
            var start = block
            var deltas: [String] = []
            switch type {
            case "text":
                start = ["type": "text", "text": ""]
                deltas = SimulatedReply.words(block["text"]?.string ?? "").map {
                    delta(index, "text_delta", "text", $0)
                }
            case "thinking":
                start = ["type": "thinking", "thinking": "", "signature": ""]
                deltas = SimulatedReply.words(block["thinking"]?.string ?? "").map {
                    delta(index, "thinking_delta", "thinking", $0)
                }
                deltas.append(delta(index, "signature_delta", "signature", block["signature"]?.string ?? ""))
            case "tool_use":
                start = [
                    "type": "tool_use", "id": block["id"] ?? nil, "name": block["name"] ?? nil, "input": .object([]),
                ]
                let arguments = block["input"]?.text ?? "{}"
                // A tool without parameters sends one empty piece.
                let pieces = arguments == "{}" ? [""] : [""] + SimulatedReply.slices(arguments, 8)
                deltas = pieces.map { delta(index, "input_json_delta", "partial_json", $0) }
            default: break
            }
            events.append(event("content_block_start", [("index", .int(index)), ("content_block", start)]))
            if index == 0 { events.append("event: ping\ndata: {\"type\": \"ping\"}\n\n") }
            events += deltas
            events.append(event("content_block_stop", [("index", .int(index))]))
        }
        events.append(
            event(
                "message_delta",
                [
                    (
                        "delta",
                        [
                            "stop_reason": .string(stopReason), "stop_sequence": nil, "stop_details": stopDetails,
                        ]
                    ), ("usage", usage(outputTokens)),
                ]))
        events.append(event("message_stop", []))
        return events
    }
}
