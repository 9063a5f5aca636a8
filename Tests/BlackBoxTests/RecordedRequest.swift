import Foundation
import Generation

/// A vendor's recorded request body, converted to the Genwire request that should produce it, with both bodies in a
/// canonical form in which only differences of meaning remain.
struct RecordedRequest {
    typealias Object = [String: Any]

    let request: ChatRequest
    let canonical: NSDictionary

    init(_ body: Object, provider: String) {
        switch provider {
        case "vertex":
            request = Self.gemini(body)
            canonical = Self.canonicalGemini(body)
        case "anthropic_vertex":
            request = Self.claude(body)
            canonical = Self.canonicalClaude(body)
        default:
            request = Self.chatCompletions(body)
            canonical = Self.canonicalChatCompletions(body)
        }
    }

    static func canonical(_ body: Object, provider: String) -> NSDictionary {
        switch provider {
        case "vertex": canonicalGemini(body)
        case "anthropic_vertex": canonicalClaude(body)
        default: canonicalChatCompletions(body)
        }
    }

    private static func json(_ value: Any?) -> String {
        guard let value else { return "" }
        let data = (try? JSONSerialization.data(withJSONObject: value, options: [.fragmentsAllowed])) ?? Data()
        return String(decoding: data, as: UTF8.self)
    }

    private static func objects(_ value: Any?) -> [Object] { value as? [Object] ?? [] }

    // MARK: - Chat completions

    private static func chatCompletions(_ body: Object) -> ChatRequest {
        var request = ChatRequest(messages: [])
        for raw in objects(body["messages"]) {
            let roles: [String: Role] = [
                "system": .system, "developer": .system, "user": .user, "assistant": .assistant, "tool": .tool,
            ]
            var message = Message(role: roles[raw["role"] as? String ?? ""] ?? .user)
            message.content = raw["content"] as? String ?? ""
            for part in objects(raw["content"]) {
                if let text = part["text"] as? String { message.parts.append(.text(text)) }
                if let image = part["image_url"] as? Object, let url = image["url"] as? String {
                    message.parts.append(.image(Image(mimeType: "", source: .url(url))))
                }
            }
            message.toolCallID = raw["tool_call_id"] as? String ?? ""
            for call in objects(raw["tool_calls"]) {
                let function = call["function"] as? Object ?? [:]
                message.toolCalls.append(
                    ToolCall(
                        id: call["id"] as? String ?? "", name: function["name"] as? String ?? "",
                        argumentsJSON: function["arguments"] as? String ?? ""))
            }
            request.messages.append(message)
        }
        for tool in objects(body["tools"]) {
            let function = tool["function"] as? Object ?? [:]
            request.tools.append(
                Tool(
                    name: function["name"] as? String ?? "", description: function["description"] as? String ?? "",
                    parametersJSON: json(function["parameters"]), strict: function["strict"] as? Bool))
        }
        if body["tool_choice"] as? String == "auto" { request.toolChoice = .auto }
        request.options.maxTokens = body["max_tokens"] as? Int ?? body["max_completion_tokens"] as? Int
        request.options.temperature = body["temperature"] as? Double
        request.options.user = body["user"] as? String ?? ""
        request.options.reasoning.effort = body["reasoning_effort"] as? String ?? ""
        if let format = (body["response_format"] as? Object)?["json_schema"] as? Object {
            request.options.responseFormat = .jsonSchema(
                schema: json(format["schema"]), name: format["name"] as? String ?? "",
                strict: format["strict"] as? Bool)
        }
        return request
    }

    private static func canonicalChatCompletions(_ body: Object) -> NSDictionary {
        var body = body
        // Set by the gateway, or outside the contract.
        for key in ["model", "stream", "stream_options", "n"] { body[key] = nil }
        if let limit = body.removeValue(forKey: "max_completion_tokens") { body["max_tokens"] = limit }
        body["messages"] = objects(body["messages"]).map { message in
            var message = message
            let parts = objects(message["content"])
            if parts.count == 1, let text = parts[0]["text"] { message["content"] = text }
            if message["content"] == nil { message["content"] = NSNull() }
            return message
        }
        if body["tools"] != nil {
            body["tools"] = objects(body["tools"]).map { tool in
                var tool = tool
                var function = tool["function"] as? Object ?? [:]
                if function["description"] as? String == "" { function["description"] = nil }
                tool["function"] = function
                return tool
            }
        }
        if var format = body["response_format"] as? Object, var schema = format["json_schema"] as? Object {
            schema["description"] = nil
            format["json_schema"] = schema
            body["response_format"] = format
        }
        return body as NSDictionary
    }

    // MARK: - Claude

    private static func claude(_ body: Object) -> ChatRequest {
        var request = ChatRequest(messages: [])
        if let text = body["system"] as? String { request.messages.append(Message(role: .system, content: text)) }
        for block in objects(body["system"]) {
            request.messages.append(Message(role: .system, content: block["text"] as? String ?? ""))
        }
        for raw in objects(body["messages"]) {
            var message = Message(role: raw["role"] as? String == "assistant" ? .assistant : .user)
            message.content = raw["content"] as? String ?? ""
            for block in objects(raw["content"]) {
                switch block["type"] as? String {
                case "text": message.parts.append(.text(block["text"] as? String ?? ""))
                case "image":
                    let source = block["source"] as? Object ?? [:]
                    message.parts.append(
                        .image(
                            Image(
                                mimeType: source["media_type"] as? String ?? "",
                                source: .data(Array(Data(base64Encoded: source["data"] as? String ?? "") ?? Data())))))
                case "tool_use":
                    message.toolCalls.append(
                        ToolCall(
                            id: block["id"] as? String ?? "", name: block["name"] as? String ?? "",
                            argumentsJSON: json(block["input"])))
                case "tool_result":
                    message = Message(
                        role: .tool, content: block["content"] as? String ?? "",
                        toolCallID: block["tool_use_id"] as? String ?? "")
                default: break
                }
            }
            request.messages.append(message)
        }
        for tool in objects(body["tools"]) {
            request.tools.append(
                Tool(
                    name: tool["name"] as? String ?? "", description: tool["description"] as? String ?? "",
                    parametersJSON: json(tool["input_schema"])))
        }
        request.options.maxTokens = body["max_tokens"] as? Int
        request.options.temperature = body["temperature"] as? Double
        request.options.reasoning.budgetTokens = (body["thinking"] as? Object)?["budget_tokens"] as? Int
        if let format = (body["output_config"] as? Object)?["format"] as? Object {
            request.options.responseFormat = .jsonSchema(schema: json(format["schema"]), name: "", strict: nil)
        }
        return request
    }

    private static func canonicalClaude(_ body: Object) -> NSDictionary {
        func blocks(_ content: Any?) -> Any? {
            if let text = content as? String { return [["type": "text", "text": text]] }
            guard content != nil else { return nil }
            return objects(content).map { block in
                var block = block
                block["cache_control"] = nil
                return block
            }
        }
        var body = body
        for key in ["model", "stream", "anthropic_version"] { body[key] = nil }
        body["system"] = blocks(body["system"])
        body["messages"] = objects(body["messages"]).map { message in
            var message = message
            message["content"] = blocks(message["content"])
            return message
        }
        return body as NSDictionary
    }

    // MARK: - Gemini

    private static func gemini(_ body: Object) -> ChatRequest {
        var request = ChatRequest(messages: [])
        for part in objects((body["systemInstruction"] as? Object)?["parts"]) {
            request.messages.append(Message(role: .system, content: part["text"] as? String ?? ""))
        }
        for content in objects(body["contents"]) {
            var message = Message(role: content["role"] as? String == "model" ? .assistant : .user)
            for part in objects(content["parts"]) {
                if let text = part["text"] as? String { message.parts.append(.text(text)) }
                if let call = part["functionCall"] as? Object {
                    let name = call["name"] as? String ?? ""
                    var made = ToolCall(id: "call-\(name)", name: name, argumentsJSON: json(call["args"]))
                    if let signature = part["thoughtSignature"] as? String {
                        made.providerState = Array(#"{"gemini":{"signature":"\#(signature)"}}"#.utf8)
                    }
                    message.toolCalls.append(made)
                }
                if let response = part["functionResponse"] as? Object {
                    message = Message(
                        role: .tool, content: json(response["response"]),
                        toolCallID: "call-\(response["name"] as? String ?? "")")
                }
            }
            request.messages.append(message)
        }
        for declaration in objects((objects(body["tools"]).first ?? [:])["functionDeclarations"]) {
            request.tools.append(
                Tool(
                    name: declaration["name"] as? String ?? "",
                    description: declaration["description"] as? String ?? "",
                    parametersJSON: declaration["parameters"].map { json(lowered($0)) } ?? ""))
        }
        let config = body["generationConfig"] as? Object ?? [:]
        request.options.temperature = config["temperature"] as? Double
        if let schema = config["responseSchema"] {
            request.options.responseFormat = .jsonSchema(schema: json(lowered(schema)), name: "", strict: nil)
        }
        return request
    }

    /// Maps OpenAPI's type names to JSON Schema's.
    private static func lowered(_ schema: Any) -> Any {
        if let list = schema as? [Any] { return list.map { lowered($0) } }
        guard let object = schema as? Object else { return schema }
        return Object(
            uniqueKeysWithValues: object.map { key, value in
                (key, key == "type" ? (value as? String)?.lowercased() ?? lowered(value) : lowered(value))
            })
    }

    private static func canonicalGemini(_ body: Object) -> NSDictionary {
        var body = body
        // Set by the configuration, not by the request.
        body["safetySettings"] = nil
        if var config = body["generationConfig"] as? Object {
            config["responseModalities"] = nil
            body["generationConfig"] = config.isEmpty ? nil : config
        }
        if var system = body["systemInstruction"] as? Object {
            system["role"] = nil
            body["systemInstruction"] = system
        }
        if body["tools"] != nil {
            body["tools"] = objects(body["tools"]).map { tool in
                var tool = tool
                tool["functionDeclarations"] = objects(tool["functionDeclarations"]).map { declaration in
                    var declaration = declaration
                    let properties = (declaration["parameters"] as? Object)?["properties"] as? Object
                    if properties?.isEmpty == true { declaration["parameters"] = nil }
                    return declaration
                }
                return tool
            }
        }
        return body as NSDictionary
    }
}
