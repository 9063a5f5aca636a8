internal import JSON

/// A made-up answer to a good request, whole or as events.
struct OpenAIReply {
    private struct Call {
        var id: String
        var name: String
        var arguments: String
    }

    private let body: JSONValue
    private let model: String
    private let id: String
    private var text = ""
    private var reasoning = ""
    private var calls: [Call] = []
    private var finishReason = "stop"
    private var isRefusal = false
    private var completionTokens = 0

    init(_ body: JSONValue, _ options: SimulatorOptions) {
        self.body = body
        model = body["model"]?.string ?? ""
        id = "chatcmpl-" + Self.randomName(29)
        if model.contains("refuse") {
            isRefusal = true
            text = "I'm sorry, but I can't help with that."
        } else if let called = calledTools() {
            calls = called
            finishReason = "tool_calls"
        } else {
            text = makeText(options)
            limitLength()
        }
        if model.contains("deepseek") || OpenAIChecks.isReasoning(model) { reasoning = "The user wants an answer. " }
        completionTokens = max(1, (text + calls.map(\.arguments).joined()).count / 4) + reasoning.count / 4
    }

    // MARK: - Content

    private var messages: [JSONValue] { body["messages"]?.array ?? [] }

    private static func text(of message: JSONValue?) -> String {
        guard let content = message?["content"] else { return "" }
        return content.string ?? (content.array ?? []).compactMap { $0["text"]?.string }.joined(separator: " ")
    }

    private var question: String { Self.text(of: messages.last { $0["role"]?.string == "user" }) }

    /// The tools that this answer calls; `nil` for none.
    private func calledTools() -> [Call]? {
        guard let tools = body["tools"]?.array, !tools.isEmpty, body["tool_choice"]?.string != "none" else {
            return nil
        }
        let names = tools.compactMap { $0["function"]?["name"]?.string }
        var wanted: [String] = []
        if let named = body["tool_choice"]?["function"]?["name"]?.string {
            wanted = [named]
        } else if messages.last?["role"]?.string != "tool" || body["tool_choice"]?.string == "required" {
            let words = question.lowercased()
            let mentioned = names.filter { name in
                words.contains(name.lowercased())
                    || name.lowercased().split(separator: "_").contains { $0.count > 3 && words.contains($0) }
            }
            wanted = mentioned.isEmpty && body["tool_choice"]?.string == "required" ? [names[0]] : mentioned
            if words.contains("parallel"), body["parallel_tool_calls"]?.bool != false { wanted += wanted }
            if body["parallel_tool_calls"]?.bool == false { wanted = Array(wanted.prefix(1)) }
        }
        guard !wanted.isEmpty else { return nil }
        return wanted.map { name in
            let schema = tools.first { $0["function"]?["name"]?.string == name }?["function"]?["parameters"]
            return Call(
                id: "call_" + Self.randomName(24), name: name,
                arguments: SchemaExample.value(schema ?? ["type": "object"], hint: question).text)
        }
    }

    private func makeText(_ options: SimulatorOptions) -> String {
        if let format = body["response_format"], format["type"]?.string != "text" {
            let schema =
                format["json_schema"]?["schema"] ?? ["type": "object", "properties": ["answer": ["type": "string"]]]
            return SchemaExample.value(schema, hint: question).text
        }
        if messages.last?["role"]?.string == "tool" { return "The tool says: \(Self.text(of: messages.last))" }
        let images = messages.last?["content"]?.array?.count { $0["type"]?.string == "image_url" } ?? 0
        var words = ["You", "asked:"] + question.split(separator: " ").map(String.init)
        if images > 0 { words += ["and", "sent", "\(images)", images == 1 ? "image." : "images."] }
        let filler = "This is a simulated answer, streamed word by word so that you can watch it arrive.".split(
            separator: " ")
        var index = 0
        while words.count < options.tokens {
            words.append(String(filler[index % filler.count]))
            index += 1
        }
        return words.joined(separator: " ")
    }

    /// Stop sequences and the token limit end the text.
    private mutating func limitLength() {
        let stops = body["stop"]?.array?.compactMap(\.string) ?? [body["stop"]?.string].compactMap { $0 }
        for stop in stops where !stop.isEmpty {
            if let found = text.firstRange(of: stop) { text = String(text[..<found.lowerBound]) }
        }
        if let limit = body["max_completion_tokens"]?.int ?? body["max_tokens"]?.int, text.count / 4 > limit {
            text = String(text.prefix(limit * 4))
            finishReason = "length"
        }
    }

    // MARK: - Forms

    private var usage: JSONValue {
        let prompt = max(1, messages.map { Self.text(of: $0).count }.reduce(0, +) / 4)
        return [
            "prompt_tokens": .int(prompt), "completion_tokens": .int(completionTokens),
            "total_tokens": .int(prompt + completionTokens),
            "prompt_tokens_details": ["cached_tokens": 0, "audio_tokens": 0],
            "completion_tokens_details": ["reasoning_tokens": .int(reasoning.count / 4), "audio_tokens": 0],
        ]
    }

    private func callsJSON(_ calls: [Call]) -> JSONValue {
        .array(
            calls.map { call in
                [
                    "id": .string(call.id), "type": "function",
                    "function": ["name": .string(call.name), "arguments": .string(call.arguments)],
                ]
            })
    }

    var whole: JSONValue {
        var message: [(key: String, value: JSONValue)] = [("role", "assistant")]
        message.append(("content", calls.isEmpty && !isRefusal ? .string(text) : nil))
        message.append(("refusal", isRefusal ? .string(text) : nil))
        if !reasoning.isEmpty, model.contains("deepseek") { message.append(("reasoning_content", .string(reasoning))) }
        if !calls.isEmpty { message.append(("tool_calls", callsJSON(calls))) }
        let count = max(1, min(8, body["n"]?.int ?? 1))
        return [
            "id": .string(id), "object": "chat.completion", "created": 1_764_000_000, "model": .string(model),
            "choices": .array(
                (0..<count).map { index in
                    [
                        "index": .int(index), "message": .object(message), "logprobs": nil,
                        "finish_reason": .string(finishReason),
                    ]
                }),
            "usage": usage, "service_tier": "default", "system_fingerprint": "fp_simulated",
        ]
    }

    var events: [String] {
        let asksUsage = body["stream_options"]?["include_usage"]?.bool == true
        func event(_ choices: JSONValue, usage: JSONValue? = nil) -> String {
            var members: [(key: String, value: JSONValue)] = [
                ("id", .string(id)), ("object", "chat.completion.chunk"), ("created", 1_764_000_000),
                ("model", .string(model)), ("service_tier", "default"), ("system_fingerprint", "fp_simulated"),
                ("choices", choices),
            ]
            if asksUsage { members.append(("usage", usage ?? nil)) }
            return "data: \(JSONValue.object(members).text)\n\n"
        }
        func delta(_ delta: JSONValue, finish: JSONValue = nil) -> String {
            event([["index": 0, "delta": delta, "logprobs": nil, "finish_reason": finish]])
        }
        var events = [delta(["role": "assistant", "content": calls.isEmpty ? "" : nil, "refusal": nil])]
        if !reasoning.isEmpty, model.contains("deepseek") {
            for word in Self.pieces(reasoning) { events.append(delta(["reasoning_content": .string(word)])) }
        }
        for word in Self.pieces(text) {
            events.append(delta(isRefusal ? ["refusal": .string(word)] : ["content": .string(word)]))
        }
        for (index, call) in calls.enumerated() {
            events.append(
                delta([
                    "tool_calls": [
                        [
                            "index": .int(index), "id": .string(call.id), "type": "function",
                            "function": ["name": .string(call.name), "arguments": ""],
                        ]
                    ]
                ]))
            for piece in Self.slices(call.arguments, 8) {
                events.append(
                    delta(["tool_calls": [["index": .int(index), "function": ["arguments": .string(piece)]]]]))
            }
        }
        events.append(delta([:], finish: .string(finishReason)))
        if asksUsage { events.append(event([], usage: usage)) }
        events.append("data: [DONE]\n\n")
        return events
    }

    /// Words, each with the space before it.
    private static func pieces(_ text: String) -> [String] {
        var pieces: [String] = []
        for character in text {
            if character == " " || pieces.isEmpty { pieces.append("") }
            pieces[pieces.count - 1].append(character)
        }
        return pieces
    }

    private static func slices(_ text: String, _ length: Int) -> [String] {
        let characters = Array(text)
        return stride(from: 0, to: characters.count, by: length).map {
            String(characters[$0..<min($0 + length, characters.count)])
        }
    }

    private static func randomName(_ length: Int) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
        return String((0..<length).map { _ in alphabet[Int.random(in: 0..<alphabet.count)] })
    }
}

/// A value that satisfies a JSON Schema, for tool arguments and JSON answers.
enum SchemaExample {
    static func value(_ schema: JSONValue, hint: String, depth: Int = 0) -> JSONValue {
        if let constant = schema["const"] { return constant }
        if let first = schema["enum"]?[0] { return first }
        if let first = schema["anyOf"]?[0] ?? schema["oneOf"]?[0] { return value(first, hint: hint, depth: depth + 1) }
        let type =
            schema["type"]?.string ?? schema["type"]?[0]?.string ?? (schema["properties"] != nil ? "object" : "string")
        switch type {
        case "object":
            guard depth < 20 else { return .object([]) }
            return .object(
                (schema["properties"]?.members ?? []).map {
                    (key: $0.key, value: value($0.value, hint: hint, depth: depth + 1))
                })
        case "array":
            let count = max(1, schema["minItems"]?.int ?? 1)
            return .array(
                (0..<count).map { _ in value(schema["items"] ?? ["type": "string"], hint: hint, depth: depth + 1) })
        case "integer": return .int(schema["minimum"]?.int ?? 7)
        case "number": return schema["minimum"] ?? 1.5
        case "boolean": return true
        case "null": return nil
        default: return .string(name(in: hint) ?? "example")
        }
    }

    /// A capitalised word of the question that is not its first, such as a city.
    private static func name(in hint: String) -> String? {
        hint.split(separator: " ").dropFirst().map { $0.filter { $0.isLetter } }
            .first { $0.count > 2 && ($0.first?.isUppercase ?? false) }
    }
}
