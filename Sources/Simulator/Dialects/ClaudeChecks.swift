internal import JSON

/// Validates requests as Anthropic does, with its error messages.
struct ClaudeChecks {
    private static let members = [
        "model", "messages", "system", "max_tokens", "metadata", "stop_sequences", "stream", "temperature", "top_k",
        "top_p", "tools", "tool_choice", "thinking", "output_config", "service_tier", "anthropic_version",
        "anthropic_beta", "cache_control", "container", "mcp_servers", "context_management", "inference_geo",
    ]
    private static let betas = [
        "prompt-caching-2024-07-31", "token-counting-2024-11-01", "interleaved-thinking-2025-05-14",
        "context-1m-2025-08-07", "structured-outputs-2025-11-13", "effort-2025-11-24",
    ]

    let body: JSONValue
    let subject: Strictness.Subject
    private var model: String { subject.model }
    private var isVertex: Bool { subject.vendor == .anthropicVertex }
    let isCount: Bool
    let headers: [String: String]
    /// Whether the path requests a stream.
    let streams: Bool

    func problem() -> SimulatedAnswer? { frame() ?? parameters() ?? conversation() }

    private func invalid(_ message: String) -> SimulatedAnswer { ClaudeDialect.invalid(message) }

    // MARK: - Top-level fields

    private func frame() -> SimulatedAnswer? {
        if let name = body.members?.first(where: { !Self.members.contains($0.key) })?.key {
            return invalid("\(name): Extra inputs are not permitted")
        }
        if isVertex {
            guard let version = body["anthropic_version"]?.string else {
                return invalid("anthropic_version: Field required")
            }
            guard ["vertex-2023-10-16", "2026-10-21"].contains(version) else {
                return invalid("anthropic_version: Input should be 'vertex-2023-10-16'")
            }
            if !isCount, body.has("model") { return invalid("model: Extra inputs are not permitted") }
            if !isCount, (body["stream"]?.bool == true) != streams {
                return invalid("stream: the value does not fit the method")
            }
        } else if body.has("anthropic_version") {
            return invalid("anthropic_version: Extra inputs are not permitted")
        }
        if isCount || !isVertex, model.isEmpty { return invalid("model: Field required") }
        for beta in (headers["anthropic-beta"] ?? "").split(separator: ",") {
            let name = beta.filter { $0 != " " }
            guard Self.betas.contains(name) else {
                return invalid("Unexpected value(s) `\(name)` for the `anthropic-beta` header.")
            }
        }
        if !isCount {
            guard let limit = body["max_tokens"]?.int else { return invalid("max_tokens: Field required") }
            guard limit > 0 else { return invalid("max_tokens: Input should be greater than or equal to 1") }
        }
        return nil
    }

    // MARK: - Parameters

    private func parameters() -> SimulatedAnswer? {
        // Newer versions of the API have no sampling parameters, whatever the model.
        let isNewest =
            body["anthropic_version"]?.string == "2026-10-21" || headers["anthropic-version"] == "2026-10-21"
        if isNewest, let sampling = ["temperature", "top_p", "top_k"].first(where: { body.has($0) }) {
            return invalid("\(sampling): Extra inputs are not permitted")
        }
        if let refusal = Strictness.shared.refusal(of: subject, body) {
            return ClaudeDialect.refusal(refusal.status, "invalid_request_error", refusal.message)
        }
        let choice = body["tool_choice"]?["type"]?.string
        if let choice {
            guard ["auto", "any", "tool", "none"].contains(choice) else {
                return invalid(
                    "tool_choice: Input tag '\(choice)' found using 'type' does not match any of the expected tags")
            }
            if body["tools"]?.array?.isEmpty != false {
                return invalid("tool_choice may only be specified while providing tools.")
            }
        }
        for (index, tool) in (body["tools"]?.array ?? []).enumerated() {
            guard tool["name"]?.string?.isEmpty == false else { return invalid("tools.\(index).name: Field required") }
            guard tool["input_schema"]?["type"]?.string == "object" else {
                return invalid("tools.\(index).input_schema.type: Field required")
            }
        }
        if let format = body["output_config"]?["format"] {
            guard format["type"]?.string == "json_schema", format["schema"]?.members != nil else {
                return invalid("output_config.format.schema: Field required")
            }
        }
        if let effort = body["output_config"]?["effort"]?.string {
            guard ["low", "medium", "high", "xhigh", "max"].contains(effort) else {
                return invalid("output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'")
            }
        }
        return thinking()
    }

    private func thinking() -> SimulatedAnswer? {
        guard let thinking = body["thinking"] else { return nil }
        let type = thinking["type"]?.string ?? ""
        guard ["enabled", "adaptive", "between_tools", "disabled"].contains(type) else {
            return invalid("thinking: Input tag '\(type)' found using 'type' does not match any of the expected tags")
        }
        guard type == "enabled" else { return nil }
        guard let budget = thinking["budget_tokens"]?.int else {
            return invalid("thinking.enabled.budget_tokens: Field required")
        }
        guard budget >= 1024 else {
            return invalid("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
        }
        guard isCount || budget < body["max_tokens"]?.int ?? 0 else {
            return invalid("`max_tokens` must be greater than `thinking.budget_tokens`.")
        }
        return nil
    }

    // MARK: - Messages

    private func conversation() -> SimulatedAnswer? {
        guard let messages = body["messages"]?.array, !messages.isEmpty else {
            return invalid("messages: at least one message is required")
        }
        guard messages[0]["role"]?.string == "user" else {
            return invalid("messages: first message must use the \"user\" role")
        }
        var open: [String] = []
        for (index, message) in messages.enumerated() {
            let role = message["role"]?.string ?? ""
            guard role == "user" || role == "assistant" else {
                return invalid("messages.\(index).role: Input should be 'user' or 'assistant'")
            }
            let blocks = message["content"]?.array ?? []
            if message["content"]?.string?.isEmpty ?? blocks.isEmpty {
                return invalid(
                    "messages.\(index): all messages must have non-empty content except for the optional final assistant message"
                )
            }
            for (place, block) in blocks.enumerated() {
                if let problem = self.block(block, role: role, at: "messages.\(index).content.\(place)") {
                    return problem
                }
            }
            if let problem = results(blocks, index, open) { return problem }
            open = blocks.filter { $0["type"]?.string == "tool_use" }.compactMap { $0["id"]?.string }
            if role == "assistant", let problem = thoughts(blocks, index, open) { return problem }
        }
        return open.isEmpty ? nil : unanswered(open, messages.count - 1)
    }

    private func block(_ block: JSONValue, role: String, at place: String) -> SimulatedAnswer? {
        switch block["type"]?.string {
        case "text":
            return block["text"]?.string?.isEmpty == false
                ? nil : invalid("\(place): text content blocks must be non-empty")
        case "image", "document":
            let type = block["source"]?["type"]?.string
            guard ["base64", "url", "text"].contains(type) else { return invalid("\(place).source: Field required") }
            let isWhole = type == "url" ? block["source"]?["url"] != nil : block["source"]?["data"] != nil
            return isWhole ? nil : invalid("\(place).source.data: Field required")
        case "tool_use":
            guard role == "assistant" else {
                return invalid("\(place): `tool_use` blocks can only be in `assistant` messages")
            }
            let id = block["id"]?.string ?? ""
            let isGood =
                !id.isEmpty && id.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_-".contains($0)) }
            guard isGood else { return invalid("\(place).tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'") }
            return block["input"]?.members == nil
                ? invalid("\(place).tool_use.input: Input should be a valid dictionary") : nil
        case "tool_result":
            return role == "user" ? nil : invalid("\(place): `tool_result` blocks can only be in `user` messages")
        case "thinking", "redacted_thinking":
            return role == "assistant"
                ? nil : invalid("\(place): `thinking` blocks can only be in `assistant` messages")
        case let type:
            return invalid(
                "\(place): Input tag '\(type ?? "")' found using 'type' does not match any of the expected tags")
        }
    }

    private func unanswered(_ ids: [String], _ index: Int) -> SimulatedAnswer {
        invalid(
            "messages.\(index): `tool_use` ids were found without `tool_result` blocks immediately after: \(ids.joined(separator: ", ")). Each `tool_use` block must have a corresponding `tool_result` block in the next message."
        )
    }

    private func results(_ blocks: [JSONValue], _ index: Int, _ open: [String]) -> SimulatedAnswer? {
        let ids = blocks.filter { $0["type"]?.string == "tool_result" }.compactMap { $0["tool_use_id"]?.string }
        if let stray = ids.first(where: { !open.contains($0) }) {
            return invalid(
                "messages.\(index): unexpected `tool_use_id` found in `tool_result` blocks: \(stray). Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
            )
        }
        let missing = open.filter { !ids.contains($0) }
        if !missing.isEmpty { return unanswered(missing, index - 1) }
        // Tool results must precede other content.
        if let first = blocks.firstIndex(where: { $0["type"]?.string != "tool_result" }),
            blocks[first...].contains(where: { $0["type"]?.string == "tool_result" })
        {
            return unanswered(open, index - 1)
        }
        return nil
    }

    /// Thinking blocks must be unchanged. With a budget, an assistant message with tool calls must begin with one;
    /// adaptive thinking does not require this.
    private func thoughts(_ blocks: [JSONValue], _ index: Int, _ calls: [String]) -> SimulatedAnswer? {
        for (place, block) in blocks.enumerated() where block["type"]?.string == "thinking" {
            let words = block["thinking"]?.string ?? ""
            let signature = block["signature"]?.string ?? ""
            guard signature != ClaudeReply.signature(words, subject, body) else { continue }
            let isBound = ClaudeReply.isBound(signature) && Strictness.shared.has(.bindsThinking, subject)
            let problem =
                isBound
                ? "`thinking` block is bound to a different conversation" : "Invalid `signature` in `thinking` block"
            return invalid("messages.\(index).content.\(place): \(problem)")
        }
        guard body["thinking"]?["type"]?.string == "enabled", !calls.isEmpty else { return nil }
        let first = blocks.first?["type"]?.string ?? ""
        guard first == "thinking" || first == "redacted_thinking" else {
            return invalid(
                "messages.\(index).content.0.type: Expected `thinking` or `redacted_thinking`, but found `\(first)`. When `thinking` is enabled, a final `assistant` message must start with a thinking block."
            )
        }
        return nil
    }
}
