internal import JSON

/// A generated response of the Responses API, unary or as events.
struct ResponsesReply {
    private let body: JSONValue
    private let subject: Strictness.Subject
    private let id = "resp_" + SimulatedReply.randomName(40)
    private let reply: SimulatedReply
    /// The output items, in order.
    private let output: [JSONValue]

    var inputTokens: Int { reply.inputTokens }

    init(_ body: JSONValue, _ subject: Strictness.Subject, _ options: SimulatorOptions) {
        self.body = body
        self.subject = subject
        reply = SimulatedReply(Self.prompt(body, subject), options)
        output = Self.output(body, reply)
    }

    // MARK: - The prompt

    private static func text(of content: JSONValue?) -> String {
        guard let content else { return "" }
        return content.string ?? (content.array ?? []).compactMap { $0["text"]?.string }.joined(separator: " ")
    }

    private static func prompt(_ body: JSONValue, _ subject: Strictness.Subject) -> SimulatedPrompt {
        let items = body["input"]?.array ?? [["role": "user", "content": body["input"] ?? nil]]
        let newest = items.last { $0["role"]?.string == "user" }
        var prompt = SimulatedPrompt()
        prompt.model = subject.model
        prompt.question = text(of: newest?["content"])
        prompt.results = items.reversed().prefix { $0["type"]?.string?.hasSuffix("_output") == true }.reversed()
            .map { text(of: $0["output"]) }
        prompt.images = newest?["content"]?.array?.count { $0["type"]?.string == "input_image" } ?? 0
        prompt.tools = (body["tools"]?.array ?? []).compactMap { tool in
            guard tool["type"]?.string == "function", let name = tool["name"]?.string else { return nil }
            return (name: name, schema: tool["parameters"] ?? ["type": "object"])
        }
        prompt.choice =
            switch body["tool_choice"]?.string {
            case "none": .none
            case "required": .required
            default: body["tool_choice"]?["name"]?.string.map { .named($0) } ?? .auto
            }
        prompt.allowsParallel = body["parallel_tool_calls"]?.bool != false
        if let format = body["text"]?["format"], format["type"]?.string != "text" {
            prompt.schema = format["schema"] ?? ["type": "object", "properties": ["answer": ["type": "string"]]]
        }
        prompt.limit = body["max_output_tokens"]?.int
        prompt.thinks = Strictness.shared.has(.thinks, subject)
        prompt.inputText =
            (body["instructions"]?.string ?? "")
            + items.map { text(of: $0["content"]) + text(of: $0["output"]) }.joined()
        return prompt
    }

    // MARK: - Items

    private static func output(_ body: JSONValue, _ reply: SimulatedReply) -> [JSONValue] {
        var items: [JSONValue] = []
        if !reply.reasoning.isEmpty { items.append(reasoning(body, reply.reasoning)) }
        let searches = body["tools"]?.array?.contains { $0["type"]?.string == "web_search" } == true
        if searches {
            items.append([
                "id": .string("ws_" + SimulatedReply.randomName(40)), "type": "web_search_call", "status": "completed",
                "action": ["type": "search", "query": "simulated", "queries": ["simulated"]],
            ])
        }
        for call in reply.calls {
            items.append([
                "id": .string("fc_" + SimulatedReply.randomName(40)), "type": "function_call", "status": "completed",
                "arguments": .string(call.arguments.text), "call_id": .string("call_" + SimulatedReply.randomName(24)),
                "name": .string(call.name),
            ])
        }
        guard reply.calls.isEmpty else { return items }
        let part: JSONValue =
            reply.end == .refusal
            ? ["type": "refusal", "refusal": .string(reply.text)]
            : [
                "type": "output_text", "text": .string(reply.text), "logprobs": [],
                "annotations": searches ? [citation(reply.text)] : [],
            ]
        items.append([
            "id": .string("msg_" + SimulatedReply.randomName(40)), "type": "message",
            "status": .string(reply.end == .length ? "incomplete" : "completed"), "role": "assistant",
            "phase": "final_answer", "content": [part],
        ])
        return items
    }

    /// Cites the last word; positions are counted in Unicode scalars.
    private static func citation(_ text: String) -> JSONValue {
        let count = text.unicodeScalars.count
        let word = text.split(separator: " ").last?.unicodeScalars.count ?? 0
        return [
            "type": "url_citation", "start_index": .int(count - word), "end_index": .int(count),
            "title": "A simulated page", "url": "https://example.org/page?utm_source=openai",
        ]
    }

    /// A reasoning item, encrypted so that `ResponsesChecks` can recognise it.
    private static func reasoning(_ body: JSONValue, _ words: String) -> JSONValue {
        var item: [(key: String, value: JSONValue)] = [
            ("id", .string("rs_" + SimulatedReply.randomName(40))), ("type", "reasoning"),
            (
                "summary",
                body["reasoning"]?["summary"]?.string == nil
                    ? [] : [["type": "summary_text", "text": .string(words)]]
            ),
        ]
        if body["include"]?.array?.contains(.string("reasoning.encrypted_content")) == true {
            let secret = SimulatedReply.randomName(24)
            item.append(("encrypted_content", .string("gAAAA" + secret + SimulatedReply.signature(secret))))
        }
        return .object(item)
    }

    // MARK: - Encoding

    private func response(_ status: JSONValue, _ output: [JSONValue], usage: JSONValue) -> JSONValue {
        [
            "id": .string(id), "object": "response", "created_at": 1_764_000_000, "status": status, "error": nil,
            "incomplete_details": status == "incomplete" ? ["reason": "max_output_tokens"] : nil,
            "instructions": body["instructions"] ?? nil, "max_output_tokens": body["max_output_tokens"] ?? nil,
            "model": .string(subject.model), "output": .array(output), "parallel_tool_calls": true,
            "previous_response_id": nil, "reasoning": body["reasoning"] ?? ["effort": nil, "summary": nil],
            "service_tier": "default", "store": body["store"] ?? true, "temperature": 1.0,
            "text": body["text"] ?? ["format": ["type": "text"]], "tool_choice": body["tool_choice"] ?? "auto",
            "tools": body["tools"] ?? [], "top_p": 1.0, "truncation": "disabled", "usage": usage, "user": nil,
            "metadata": [:],
        ]
    }

    private var usage: JSONValue {
        let output = reply.outputTokens + reply.reasoningTokens
        return [
            "input_tokens": .int(reply.inputTokens),
            "input_tokens_details": ["cached_tokens": 0, "cache_write_tokens": 0], "output_tokens": .int(output),
            "output_tokens_details": ["reasoning_tokens": .int(reply.reasoningTokens)],
            "total_tokens": .int(reply.inputTokens + output),
        ]
    }

    var whole: JSONValue { response(reply.end == .length ? "incomplete" : "completed", output, usage: usage) }

    var events: [String] {
        var writer = EventWriter()
        for type in ["response.created", "response.in_progress"] {
            writer.add(type, [("response", response("in_progress", [], usage: nil))])
        }
        for (index, item) in output.enumerated() { writer.add(item, at: index) }
        let end = reply.end == .length ? "response.incomplete" : "response.completed"
        writer.add(end, [("response", whole)])
        return writer.events
    }

    /// Adds sequence numbers to the events.
    private struct EventWriter {
        private(set) var events: [String] = []

        mutating func add(_ type: String, _ members: [(key: String, value: JSONValue)]) {
            let all: [(key: String, value: JSONValue)] =
                [("type", .string(type))] + members + [("sequence_number", .int(events.count))]
            events.append("event: \(type)\ndata: \(JSONValue.object(all).text)\n\n")
        }

        /// The events of one item.
        mutating func add(_ item: JSONValue, at index: Int) {
            let place: [(key: String, value: JSONValue)] = [
                ("item_id", item["id"] ?? nil), ("output_index", .int(index)),
            ]
            let empty = ["summary", "content", "encrypted_content", "arguments", "action"]
            let started = JSONValue.object(
                (item.members ?? []).filter { !empty.contains($0.key) }.map {
                    (key: $0.key, value: $0.key == "status" ? "in_progress" : $0.value)
                } + Self.start(item))
            add("response.output_item.added", [("item", started), ("output_index", .int(index))])
            switch item["type"]?.string {
            case "reasoning": addSummary(item, place)
            case "function_call": addArguments(item, place)
            case "web_search_call":
                for state in ["in_progress", "searching", "completed"] {
                    add("response.web_search_call." + state, place)
                }
            default: addContent(item, place)
            }
            add("response.output_item.done", [("item", item), ("output_index", .int(index))])
        }

        private static func start(_ item: JSONValue) -> [(key: String, value: JSONValue)] {
            switch item["type"]?.string {
            case "reasoning": [("summary", [])]
            case "function_call": [("arguments", "")]
            case "message": [("content", [])]
            default: []
            }
        }

        private mutating func addSummary(_ item: JSONValue, _ place: [(key: String, value: JSONValue)]) {
            for (number, part) in (item["summary"]?.array ?? []).enumerated() {
                let place = place + [("summary_index", .int(number))]
                add("response.reasoning_summary_part.added", place + [("part", ["type": "summary_text", "text": ""])])
                for word in SimulatedReply.words(part["text"]?.string ?? "") {
                    add("response.reasoning_summary_text.delta", place + [("delta", .string(word))])
                }
                add("response.reasoning_summary_text.done", place + [("text", part["text"] ?? nil)])
                add("response.reasoning_summary_part.done", place + [("part", part)])
            }
        }

        private mutating func addArguments(_ item: JSONValue, _ place: [(key: String, value: JSONValue)]) {
            let arguments = item["arguments"]?.string ?? ""
            for piece in SimulatedReply.slices(arguments, 8) {
                add("response.function_call_arguments.delta", place + [("delta", .string(piece))])
            }
            add("response.function_call_arguments.done", place + [("arguments", .string(arguments))])
        }

        private mutating func addContent(_ item: JSONValue, _ place: [(key: String, value: JSONValue)]) {
            let place = place + [("content_index", 0)]
            guard let part = item["content"]?.array?.first else { return }
            let isRefusal = part["type"]?.string == "refusal"
            let name = isRefusal ? "refusal" : "text"
            let empty: JSONValue =
                isRefusal
                ? ["type": "refusal", "refusal": ""]
                : ["type": "output_text", "annotations": [], "logprobs": [], "text": ""]
            add("response.content_part.added", place + [("part", empty)])
            let event = isRefusal ? "response.refusal." : "response.output_text."
            for word in SimulatedReply.words(part[name]?.string ?? "") {
                add(event + "delta", place + [("delta", .string(word))])
            }
            for (number, annotation) in (part["annotations"]?.array ?? []).enumerated() {
                add(
                    event + "annotation.added",
                    place + [("annotation_index", .int(number)), ("annotation", annotation)])
            }
            add(event + "done", place + [(key: name, value: part[name] ?? nil)])
            add("response.content_part.done", place + [("part", part)])
        }
    }
}
