internal import JSON

/// Validates requests as Google does, with its error messages.
enum GeminiChecks {
    private static let members = [
        "contents", "systemInstruction", "system_instruction", "generationConfig", "tools", "toolConfig",
        "safetySettings", "cachedContent", "labels", "model",
    ]
    private static let settings = [
        "temperature", "topP", "topK", "candidateCount", "maxOutputTokens", "stopSequences", "seed", "presencePenalty",
        "frequencyPenalty", "responseMimeType", "responseSchema", "responseJsonSchema", "responseModalities",
        "responseLogprobs", "logprobs", "mediaResolution", "thinkingConfig", "routingConfig", "speechConfig",
        "audioTimestamp", "modelSelectionConfig", "enableAffectiveDialog", "imageConfig",
    ]
    private static let types = ["STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL"]

    /// - Parameter facts: properties of the request outside its body, for the strictness rules.
    static func problem(
        _ body: JSONValue, _ subject: Strictness.Subject, facts: [String: String], isCount: Bool
    ) -> SimulatedAnswer? {
        if let name = body.members?.first(where: { !members.contains($0.key) })?.key {
            return unknown(name, in: "")
        }
        if let name = body["generationConfig"]?.members?.first(where: { !settings.contains($0.key) })?.key {
            return unknown(name, in: " at 'generation_config'")
        }
        guard let contents = body["contents"]?.array, !contents.isEmpty else {
            return invalid("Unable to submit request because at least one contents field is required.")
        }
        if let refusal = Strictness.shared.refusal(of: subject, body, facts: facts) {
            return GeminiDialect.refusal(
                refusal.status, refusal.status == 404 ? "NOT_FOUND" : "INVALID_ARGUMENT", refusal.message)
        }
        return self.contents(contents, subject) ?? tools(body) ?? (isCount ? nil : config(body))
    }

    private static func invalid(_ message: String) -> SimulatedAnswer {
        GeminiDialect.refusal(400, "INVALID_ARGUMENT", message)
    }

    private static func unknown(_ name: String, in place: String) -> SimulatedAnswer {
        invalid("Invalid JSON payload received. Unknown name \"\(name)\"\(place): Cannot find field.")
    }

    // MARK: - Contents

    private static func contents(_ contents: [JSONValue], _ subject: Strictness.Subject) -> SimulatedAnswer? {
        let signs = Strictness.shared.has(.signs, subject)
        var open: [JSONValue] = []
        for content in contents {
            let role = content["role"]?.string ?? "user"
            guard role == "user" || role == "model" else { return invalid("Please use a valid role: user, model.") }
            guard let parts = content["parts"]?.array, !parts.isEmpty else {
                return invalid("Unable to submit request because it must have a text parameter.")
            }
            let results = parts.compactMap { $0["functionResponse"] }
            if !open.isEmpty || !results.isEmpty {
                guard role == "user", results.count == open.count else {
                    return invalid(
                        "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn."
                    )
                }
                for (call, result) in zip(open, results) {
                    guard call["name"] == result["name"], call["id"] == nil || call["id"] == result["id"] else {
                        return invalid("Please ensure that the function response parts match the function call parts.")
                    }
                    guard result["response"]?.members != nil else {
                        return invalid("Invalid value at 'contents.parts.function_response.response'")
                    }
                }
            }
            let calls = parts.filter { $0["functionCall"] != nil }
            guard calls.isEmpty || role == "model" else { return invalid("Function calls belong to the model's turn.") }
            if signs, let problem = signature(calls) { return problem }
            open = calls.compactMap { $0["functionCall"] }
            for part in parts {
                if let problem = self.part(part) { return problem }
            }
        }
        return open.isEmpty
            ? nil : invalid("Please ensure that function call turn is followed by a function response turn.")
    }

    private static func part(_ part: JSONValue) -> SimulatedAnswer? {
        let kinds = [
            "text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode",
            "codeExecutionResult",
        ]
        guard kinds.contains(where: { part.has($0) }) else {
            return invalid("Unable to submit request because it has an empty part.")
        }
        if part.has("functionCall"), part["functionCall"]?["args"].map({ $0.members == nil }) == true {
            return invalid("Invalid value at 'contents.parts.function_call.args'")
        }
        // The vendor accepts both spellings of every name; its SDK uses both.
        let mimeType = { (media: JSONValue) in media["mimeType"]?.string ?? media["mime_type"]?.string ?? "" }
        if let media = part["inlineData"] ?? part["fileData"], mimeType(media).isEmpty {
            return invalid("Unable to submit request because the mimeType parameter is missing.")
        }
        return nil
    }

    /// The value that the vendor accepts as the signature of a call that another model made.
    private static let substitutes = ["skip_thought_signature_validator", "context_engineering_is_the_way_to_go"]

    /// Only the first call of a batch is signed.
    private static func signature(_ calls: [JSONValue]) -> SimulatedAnswer? {
        guard let first = calls.first, let call = first["functionCall"],
            let signature = first["thoughtSignature"]?.string, !substitutes.contains(signature)
        else { return nil }
        guard signature == GeminiReply.signature(name: call["name"]?.string ?? "", call["args"] ?? .object([])) else {
            return invalid("Corrupted thought signature.")
        }
        return nil
    }

    // MARK: - Tools and options

    private static func tools(_ body: JSONValue) -> SimulatedAnswer? {
        var names: [String] = []
        for tool in body["tools"]?.array ?? [] {
            for declaration in tool["functionDeclarations"]?.array ?? [] {
                guard let name = declaration["name"]?.string, !name.isEmpty else {
                    return invalid("Invalid function name. Must start with a letter or an underscore.")
                }
                names.append(name)
                if let schema = declaration["parameters"], let problem = self.schema(schema) { return problem }
            }
        }
        guard let choice = body["toolConfig"]?["functionCallingConfig"] else { return nil }
        let mode = choice["mode"]?.string ?? "AUTO"
        guard ["AUTO", "ANY", "NONE", "VALIDATED"].contains(mode) else {
            return invalid("Invalid value at 'tool_config.function_calling_config.mode'")
        }
        let allowed = choice["allowedFunctionNames"]?.array?.compactMap(\.string) ?? []
        guard allowed.isEmpty || mode == "ANY" || mode == "VALIDATED" else {
            return invalid("Allowed function names should only be set when the function calling mode is ANY.")
        }
        guard allowed.allSatisfy(names.contains) else {
            return invalid("Allowed function names should be among the declared functions.")
        }
        return nil
    }

    private static func schema(_ schema: JSONValue) -> SimulatedAnswer? {
        let known = [
            "type", "format", "title", "description", "nullable", "enum", "items", "properties", "required",
            "minItems", "maxItems", "minProperties", "maxProperties", "minLength", "maxLength", "pattern", "minimum",
            "maximum", "anyOf", "default", "example", "propertyOrdering",
        ]
        if let name = schema.members?.first(where: { !known.contains($0.key) })?.key {
            return unknown(name, in: " at 'tools[0].function_declarations[0].parameters'")
        }
        if let type = schema["type"]?.string, !types.contains(type.uppercased()) {
            return invalid("Invalid value at 'parameters.type': \"\(type)\"")
        }
        for property in schema["properties"]?.members ?? [] {
            if let problem = self.schema(property.value) { return problem }
        }
        return schema["items"].flatMap { self.schema($0) }
    }

    private static func config(_ body: JSONValue) -> SimulatedAnswer? {
        guard let config = body["generationConfig"] else { return nil }
        if let temperature = config["temperature"]?.double, !(0...2).contains(temperature) {
            return invalid(
                "Unable to submit request because it has a temperature value of \(temperature) but the supported range is from 0 (inclusive) to 2.0 (inclusive). Update the value and try again."
            )
        }
        if config["responseSchema"] != nil, config["responseJsonSchema"] != nil {
            return invalid("Only one of response_schema and response_json_schema may be set.")
        }
        let hasSchema = config["responseSchema"] != nil || config["responseJsonSchema"] != nil
        if hasSchema, config["responseMimeType"]?.string != "application/json" {
            return invalid("A response schema needs the response MIME type application/json.")
        }
        if let schema = config["responseSchema"], let problem = self.schema(schema) { return problem }
        if let thinking = config["thinkingConfig"] {
            if thinking["thinkingBudget"] != nil, thinking["thinkingLevel"] != nil {
                return invalid("You can only set only one of thinking budget and thinking level.")
            }
        }
        return nil
    }
}
