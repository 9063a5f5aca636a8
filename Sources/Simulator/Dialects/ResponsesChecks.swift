internal import JSON

/// Validates requests as the Responses API does, with its error messages.
enum ResponsesChecks {
    typealias Problem = Strictness.Refusal

    private static let parameters: Set<String> = [
        "background", "context_management", "conversation", "include", "input", "instructions", "max_output_tokens",
        "max_tool_calls", "metadata", "model", "moderation", "parallel_tool_calls", "previous_response_id", "prompt",
        "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning", "safety_identifier",
        "service_tier", "store", "stream", "stream_options", "temperature", "text", "tool_choice", "tools",
        "top_logprobs", "top_p", "truncation", "user",
    ]
    /// Parameters of chat completions that have another name in the Responses API.
    private static let moved = [
        "messages": "input", "response_format": "text.format", "max_tokens": "max_output_tokens",
        "max_completion_tokens": "max_output_tokens", "reasoning_effort": "reasoning.effort",
        "verbosity": "text.verbosity",
    ]

    static func problem(_ body: JSONValue, _ subject: Strictness.Subject, isCount: Bool) -> Problem? {
        guard !subject.model.isEmpty else {
            return Problem(
                message: "Missing required parameter: 'model'.", param: "model", code: "missing_required_parameter")
        }
        if subject.model.hasPrefix("missing-model") {
            return Problem(
                message: "The requested model '\(subject.model)' does not exist.", param: "model",
                code: "model_not_found")
        }
        for member in body.members ?? [] where !parameters.contains(member.key) {
            if let place = moved[member.key] {
                return Problem(
                    message:
                        "Unsupported parameter: '\(member.key)'. In the Responses API, this parameter has moved to '\(place)'.",
                    param: .string(member.key), code: "unsupported_parameter")
            }
            return Problem(
                message: "Unknown parameter: '\(member.key)'.", param: .string(member.key), code: "unknown_parameter")
        }
        guard let input = body["input"], input.string != nil || input.array?.isEmpty == false else {
            return Problem(
                message: "Missing required parameter: 'input'.", param: "input", code: "missing_required_parameter")
        }
        return items(input.array ?? []) ?? tools(body) ?? (isCount ? nil : options(body, subject))
    }

    // MARK: - Input

    private static func items(_ items: [JSONValue]) -> Problem? {
        var open: [String] = []
        for (index, item) in items.enumerated() {
            let place = "input[\(index)]"
            switch item["type"]?.string ?? "message" {
            case "message": if let problem = message(item, place) { return problem }
            case "function_call", "custom_tool_call":
                let text = item["type"]?.string == "function_call" ? "arguments" : "input"
                for name in ["call_id", "name", text] where item[name]?.string == nil {
                    return missing("\(place).\(name)")
                }
                open.append(item["call_id"]?.string ?? "")
            case "function_call_output", "custom_tool_call_output":
                let id = item["call_id"]?.string ?? ""
                guard let position = open.firstIndex(of: id) else {
                    return Problem(
                        message: "No tool call found for function call output with call_id \(id).", param: "input")
                }
                guard item["output"] != nil else { return missing("\(place).output") }
                open.remove(at: position)
            case "reasoning":
                guard item["summary"]?.array != nil else { return missing("\(place).summary") }
                guard let encrypted = item["encrypted_content"]?.string, isOwn(encrypted) else {
                    return Problem(
                        message: "The encrypted content for item \(item["id"]?.string ?? "") could not be verified.",
                        code: "invalid_encrypted_content")
                }
            case "web_search_call": if item["id"]?.string == nil { return missing("\(place).id") }
            case let type:
                return Problem(
                    message: "Invalid value: '\(type)'.", param: .string("\(place).type"), code: "invalid_value")
            }
        }
        guard let id = open.first else { return nil }
        return Problem(message: "No tool output found for function call \(id).", param: "input")
    }

    private static func message(_ item: JSONValue, _ place: String) -> Problem? {
        let role = item["role"]?.string ?? ""
        guard ["assistant", "system", "developer", "user"].contains(role) else {
            return Problem(
                message:
                    "Invalid value: '\(role)'. Supported values are: 'assistant', 'system', 'developer', and 'user'.",
                param: .string("\(place).role"), code: "invalid_value")
        }
        guard let content = item["content"], content.string != nil || content.array != nil else {
            return missing("\(place).content")
        }
        let known = role == "assistant" ? ["output_text", "refusal"] : ["input_text", "input_image", "input_file"]
        for (index, part) in (content.array ?? []).enumerated() {
            let type = part["type"]?.string ?? ""
            guard known.contains(type) else {
                return Problem(
                    message:
                        "Invalid value: '\(type)'. Supported values are: \(known.map { "'\($0)'" }.joined(separator: ", ")).",
                    param: .string("\(place).content[\(index)].type"), code: "invalid_value")
            }
        }
        return nil
    }

    private static func missing(_ place: String) -> Problem {
        Problem(
            message: "Missing required parameter: '\(place)'.", param: .string(place),
            code: "missing_required_parameter")
    }

    /// Whether `ResponsesReply` made the encrypted text.
    private static func isOwn(_ encrypted: String) -> Bool {
        let secret = String(encrypted.dropFirst(5).prefix(24))
        return encrypted == "gAAAA" + secret + SimulatedReply.signature(secret)
    }

    // MARK: - Tools and options

    private static func tools(_ body: JSONValue) -> Problem? {
        for (index, tool) in (body["tools"]?.array ?? []).enumerated() where tool["type"]?.string == "function" {
            guard let name = tool["name"]?.string, !name.isEmpty else { return missing("tools[\(index)].name") }
            // Tools are strict by default.
            guard tool["strict"]?.bool != false else { continue }
            guard tool["parameters"]?["additionalProperties"]?.bool == false else {
                return Problem(
                    message:
                        "Invalid schema for function '\(name)': In context=(), 'additionalProperties' is required to be supplied and to be false.",
                    param: .string("tools[\(index)].parameters"), code: "invalid_function_parameters")
            }
        }
        guard let choice = body["tool_choice"] else { return nil }
        guard body["tools"]?.array?.isEmpty == false else {
            return Problem(
                message: "Tool choice '\(choice.string ?? "function")' must be specified with 'tools' parameter.",
                param: "tool_choice")
        }
        if choice.members != nil, choice["type"]?.string == "function", choice["name"]?.string == nil {
            return missing("tool_choice.name")
        }
        return nil
    }

    private static func options(_ body: JSONValue, _ subject: Strictness.Subject) -> Problem? {
        if let limit = body["max_output_tokens"]?.int, limit < 16 {
            return Problem(
                message:
                    "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got \(limit) instead.",
                param: "max_output_tokens", code: "integer_below_min_value")
        }
        if let refusal = Strictness.shared.refusal(of: subject, body) { return refusal }
        if !Strictness.shared.has(.thinks, subject) {
            if body["reasoning"]?.members != nil { return unsupported("reasoning.effort") }
            if body["include"]?.array?.contains(.string("reasoning.encrypted_content")) == true {
                return Problem(message: "Encrypted content is not supported with this model.", param: "include")
            }
        }
        guard let format = body["text"]?["format"] else { return nil }
        switch format["type"]?.string {
        case "text": return nil
        case "json_object":
            guard body["input"]?.text.lowercased().contains("json") == true else {
                return Problem(
                    message:
                        "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.",
                    param: "input")
            }
            return nil
        case "json_schema":
            guard format["name"]?.string != nil else { return missing("text.format.name") }
            return format["schema"]?.members == nil ? missing("text.format.schema") : nil
        default:
            return Problem(
                message: "Invalid value for 'text.format.type'.", param: "text.format.type", code: "invalid_value")
        }
    }

    private static func unsupported(_ name: String) -> Problem {
        Problem(
            message: "Unsupported parameter: '\(name)' is not supported with this model.", param: .string(name),
            code: "unsupported_parameter")
    }
}
