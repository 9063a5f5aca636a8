internal import JSON

/// Validates requests as OpenAI does, with its error messages.
enum OpenAIChecks {
    typealias Problem = Strictness.Refusal

    /// - Parameter facts: properties of the request outside its body, for the strictness rules.
    static func problem(_ body: JSONValue, _ subject: Strictness.Subject, facts: [String: String]) -> Problem? {
        let model = subject.model
        guard !model.isEmpty else {
            return Problem(message: "you must provide a model parameter", param: "model")
        }
        if model.hasPrefix("missing-model") {
            return Problem(
                status: 404, message: "The model `\(model)` does not exist or you do not have access to it.",
                code: "model_not_found")
        }
        guard let messages = body["messages"]?.array else {
            return Problem(
                message: "Missing required parameter: 'messages'.", param: "messages",
                code: "missing_required_parameter")
        }
        guard !messages.isEmpty else {
            return Problem(
                message:
                    "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
                param: "messages", code: "empty_array")
        }
        return self.messages(messages) ?? Strictness.shared.refusal(of: subject, body, facts: facts) ?? parameters(body)
    }

    private static func messages(_ messages: [JSONValue]) -> Problem? {
        var open: [String] = []
        for (index, message) in messages.enumerated() {
            let role = message["role"]?.string ?? ""
            guard ["developer", "system", "user", "assistant", "tool"].contains(role) else {
                return Problem(
                    message:
                        "Invalid value: '\(role)'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.",
                    param: .string("messages[\(index)].role"), code: "invalid_value")
            }
            if role == "tool" {
                guard let id = message["tool_call_id"]?.string, let position = open.firstIndex(of: id) else {
                    return Problem(
                        message:
                            "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
                        param: .string("messages.[\(index)].role"))
                }
                open.remove(at: position)
                continue
            }
            guard open.isEmpty else { return unanswered(open) }
            let calls = message["tool_calls"]?.array ?? []
            if message["content"] == nil || message["content"]?.isNull == true, calls.isEmpty {
                return Problem(
                    message: "Invalid value for 'content': expected a string, got null.",
                    param: .string("messages.[\(index)].content"))
            }
            open = calls.compactMap { $0["id"]?.string }
        }
        return open.isEmpty ? nil : unanswered(open)
    }

    private static func unanswered(_ ids: [String]) -> Problem {
        Problem(
            message:
                "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: \(ids.joined(separator: ", "))",
            param: "messages")
    }

    private static func parameters(_ body: JSONValue) -> Problem? {
        if let temperature = body["temperature"]?.double, !(0...2).contains(temperature) {
            return Problem(
                message: "Invalid 'temperature': decimal \(temperature < 0 ? "below minimum" : "above maximum") value.",
                param: "temperature", code: "decimal_out_of_range")
        }
        if let format = body["response_format"] {
            switch format["type"]?.string {
            case "text": break
            case "json_object":
                guard body["messages"]?.text.lowercased().contains("json") == true else {
                    return Problem(
                        message:
                            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
                        param: "messages")
                }
            case "json_schema":
                guard format["json_schema"]?["name"]?.string != nil, format["json_schema"]?["schema"]?.members != nil
                else {
                    return Problem(
                        message: "Missing required parameter: 'response_format.json_schema'.",
                        param: "response_format.json_schema", code: "missing_required_parameter")
                }
            default:
                return Problem(
                    message: "Invalid value for 'response_format.type'.", param: "response_format.type",
                    code: "invalid_value")
            }
        }
        for (index, tool) in (body["tools"]?.array ?? []).enumerated() {
            guard tool["type"]?.string == "function", tool["function"]?["name"]?.string?.isEmpty == false else {
                return Problem(
                    message: "Missing required parameter: 'tools[\(index)].function.name'.",
                    param: .string("tools[\(index)].function.name"), code: "missing_required_parameter")
            }
        }
        if body["tool_choice"] != nil, body["tools"]?.array?.isEmpty != false {
            return Problem(
                message: "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
                param: "tool_choice")
        }
        return nil
    }
}
