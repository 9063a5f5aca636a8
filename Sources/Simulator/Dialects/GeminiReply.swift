internal import JSON

/// A generated response in Google's format, unary or as events.
struct GeminiReply {
    private let body: JSONValue
    private let subject: Strictness.Subject
    private var model: String { subject.model }
    private var isVertex: Bool { subject.vendor == .vertex }
    private let reply: SimulatedReply
    private let id = SimulatedReply.randomName(24)

    init(_ body: JSONValue, _ subject: Strictness.Subject, _ options: SimulatorOptions) {
        self.body = body
        self.subject = subject
        reply = SimulatedReply(Self.prompt(body, subject), options)
    }

    /// The signature of a function call.
    static func signature(name: String, _ arguments: JSONValue) -> String {
        SimulatedReply.signature(name + arguments.canonicalText)
    }

    // MARK: - The prompt

    static func text(ofContents body: JSONValue) -> String {
        (body["contents"]?.array ?? []).flatMap { $0["parts"]?.array ?? [] }.compactMap { $0["text"]?.string }
            .joined(separator: " ")
    }

    private static func prompt(_ body: JSONValue, _ subject: Strictness.Subject) -> SimulatedPrompt {
        let contents = body["contents"]?.array ?? []
        let lastParts = contents.last?["parts"]?.array ?? []
        let asked = contents.last { content in
            content["role"]?.string != "model" && content["parts"]?.array?.contains { $0.has("text") } == true
        }
        var prompt = SimulatedPrompt()
        prompt.model = subject.model
        prompt.question = (asked?["parts"]?.array ?? []).compactMap { $0["text"]?.string }.joined(separator: " ")
        prompt.results = lastParts.compactMap { part in
            part["functionResponse"]?["response"].map { $0["result"]?.string ?? $0.text }
        }
        prompt.images = lastParts.count { $0.has("inlineData") || $0.has("fileData") }
        for declaration in (body["tools"]?.array ?? []).flatMap({ $0["functionDeclarations"]?.array ?? [] }) {
            let schema = declaration["parameters"] ?? declaration["parametersJsonSchema"] ?? ["type": "object"]
            prompt.tools.append((name: declaration["name"]?.string ?? "", schema: schema))
        }
        let choice = body["toolConfig"]?["functionCallingConfig"]
        switch choice?["mode"]?.string {
        case "ANY":
            prompt.choice = choice?["allowedFunctionNames"]?[0]?.string.map { .named($0) } ?? .required
        case "NONE": prompt.choice = .none
        default: prompt.choice = .auto
        }
        let config = body["generationConfig"]
        if config?["responseMimeType"]?.string == "application/json" {
            prompt.schema =
                config?["responseSchema"] ?? config?["responseJsonSchema"]
                ?? ["type": "object", "properties": ["answer": ["type": "string"]]]
        }
        prompt.stops = config?["stopSequences"]?.array?.compactMap(\.string) ?? []
        prompt.limit = config?["maxOutputTokens"]?.int
        prompt.thinks = Strictness.shared.has(.thinks, subject)
        prompt.inputText = text(ofContents: body)
        return prompt
    }

    // MARK: - Encoding

    private var isPromptBlocked: Bool { text(named: "blocked prompt") }
    private var isAnswerBlocked: Bool { text(named: "blocked answer") }
    private func text(named words: String) -> Bool { Self.text(ofContents: body).contains(words) }

    private var finishReason: String {
        if isAnswerBlocked { return "SAFETY" }
        if model.contains("malformed") { return "MALFORMED_FUNCTION_CALL" }
        return reply.end == .length ? "MAX_TOKENS" : "STOP"
    }

    private var hasContent: Bool { !isAnswerBlocked && !model.contains("malformed") }

    /// The usage after `output` tokens.
    private func usage(_ output: Int, thoughts: Int) -> JSONValue {
        var members: [(key: String, value: JSONValue)] = [
            ("promptTokenCount", .int(reply.inputTokens)), ("candidatesTokenCount", .int(output)),
            ("totalTokenCount", .int(reply.inputTokens + output + thoughts)),
            ("promptTokensDetails", [["modality": "TEXT", "tokenCount": .int(reply.inputTokens)]]),
        ]
        if thoughts > 0 { members.append(("thoughtsTokenCount", .int(thoughts))) }
        if isVertex { members.append(("trafficType", "ON_DEMAND")) }
        return .object(members)
    }

    private func answer(
        _ parts: [JSONValue]?, finish: String? = nil, usage: JSONValue
    ) -> JSONValue {
        var candidate: [(key: String, value: JSONValue)] = []
        if let parts { candidate.append(("content", ["role": "model", "parts": .array(parts)])) }
        if let finish { candidate.append(("finishReason", .string(finish))) }
        if finish == "MALFORMED_FUNCTION_CALL" { candidate.append(("finishMessage", "Malformed function call: x(")) }
        if !isVertex { candidate.append(("index", 0)) }
        return [
            "candidates": [.object(candidate)], "usageMetadata": usage, "modelVersion": .string(model),
            "createTime": "2026-01-01T00:00:00Z", "responseId": .string(id),
        ]
    }

    private var blocked: JSONValue {
        [
            "promptFeedback": ["blockReason": "PROHIBITED_CONTENT", "blockReasonMessage": "The prompt was blocked."],
            "usageMetadata": ["promptTokenCount": .int(reply.inputTokens)], "modelVersion": .string(model),
            "responseId": .string(id),
        ]
    }

    private var thoughtParts: [JSONValue] {
        guard body["generationConfig"]?["thinkingConfig"]?["includeThoughts"]?.bool == true, !reply.reasoning.isEmpty
        else { return [] }
        return SimulatedReply.words(reply.reasoning).map { ["text": .string($0), "thought": true] }
    }

    /// Only the first call of a batch is signed. Calls of Vertex AI have no ids.
    private var callParts: [JSONValue] {
        reply.calls.enumerated().map { index, call in
            var inner: [(key: String, value: JSONValue)] = [
                ("name", .string(call.name)), ("args", call.arguments),
            ]
            if !isVertex { inner.append(("id", .string("fc-\(id)-\(index)"))) }
            var part: [(key: String, value: JSONValue)] = [("functionCall", .object(inner))]
            if index == 0, !reply.reasoning.isEmpty {
                part.append(("thoughtSignature", .string(Self.signature(name: call.name, call.arguments))))
            }
            return .object(part)
        }
    }

    var whole: JSONValue {
        if isPromptBlocked { return blocked }
        let total = usage(reply.outputTokens, thoughts: reply.reasoningTokens)
        guard hasContent else {
            return answer(isAnswerBlocked ? [] : nil, finish: finishReason, usage: total)
        }
        var parts = thoughtParts
        if !reply.text.isEmpty { parts.append(["text": .string(reply.text)]) }
        return answer(parts + callParts, finish: finishReason, usage: total)
    }

    var events: [JSONValue] {
        if isPromptBlocked { return [blocked] }
        // On Vertex AI, only the last event has token counts.
        let early: JSONValue =
            isVertex ? ["trafficType": "ON_DEMAND"] : usage(1, thoughts: reply.reasoningTokens)
        let total = usage(reply.outputTokens, thoughts: reply.reasoningTokens)
        guard hasContent else { return [answer(nil, finish: finishReason, usage: total)] }
        var events = thoughtParts.map { answer([$0], usage: early) }
        for word in SimulatedReply.words(reply.text) { events.append(answer([["text": .string(word)]], usage: early)) }
        let inPieces =
            body["toolConfig"]?["functionCallingConfig"]?["streamFunctionCallArguments"]?.bool == true
        if inPieces {
            for call in reply.calls { events += partialEvents(call, usage: early) }
        } else if !reply.calls.isEmpty {
            events.append(answer(callParts, usage: early))
        }
        // The last event may have no content, or only a signature.
        if reply.calls.isEmpty, Strictness.shared.has(.signs, subject) {
            let part: JSONValue = ["text": "", "thoughtSignature": .string(SimulatedReply.signature(reply.text))]
            events.append(answer([part], finish: finishReason, usage: total))
        } else {
            events.append(answer(nil, finish: finishReason, usage: total))
        }
        return events
    }

    /// The events of a call whose arguments are streamed in pieces, each with its JSON path.
    private func partialEvents(_ call: SimulatedReply.Call, usage: JSONValue) -> [JSONValue] {
        func event(_ call: JSONValue, signature: String? = nil) -> JSONValue {
            var part: [(key: String, value: JSONValue)] = [("functionCall", call)]
            if let signature { part.append(("thoughtSignature", .string(signature))) }
            return answer([.object(part)], usage: usage)
        }
        var events = [
            event(
                ["name": .string(call.name), "willContinue": true],
                signature: Self.signature(name: call.name, call.arguments))
        ]
        func walk(_ value: JSONValue, _ path: String) {
            switch value {
            case .object(let members): for member in members { walk(member.value, "\(path).\(member.key)") }
            case .array(let elements):
                for (index, element) in elements.enumerated() { walk(element, "\(path)[\(index)]") }
            case .string(let text):
                let pieces = SimulatedReply.slices(text, 4)
                for (index, piece) in pieces.enumerated() {
                    var member: [(key: String, value: JSONValue)] = [
                        ("jsonPath", .string(path)), ("stringValue", .string(piece)),
                    ]
                    if index + 1 < pieces.count { member.append(("willContinue", true)) }
                    events.append(event(["partialArgs": [.object(member)], "willContinue": true]))
                }
            case .bool(let flag): leaf(path, "boolValue", .bool(flag))
            case .null: leaf(path, "nullValue", "NULL_VALUE")
            default: leaf(path, "numberValue", value)
            }
        }
        func leaf(_ path: String, _ kind: String, _ value: JSONValue) {
            let piece: JSONValue = .object([(key: "jsonPath", value: .string(path)), (key: kind, value: value)])
            events.append(event(["partialArgs": [piece], "willContinue": true]))
        }
        walk(call.arguments, "$")
        events.append(event(.object([])))
        return events
    }
}
