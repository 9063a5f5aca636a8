/// A rough token count of `text`: one token per four Unicode scalars, the usual rule of thumb for English text.
public func estimateTokens(_ text: String) -> Int { text.unicodeScalars.count / 4 }

/// Truncates `prompt` at a word boundary so that its estimate is about `maxTokens`; returns it unchanged if it fits.
///
/// Keeps the first `words × maxTokens / estimate` words, joined by single spaces.
public func fitPrompt(_ prompt: String, maxTokens: Int) -> String {
    let estimated = estimateTokens(prompt)
    guard estimated > maxTokens, estimated > 0 else { return prompt }
    let words = prompt.split(whereSeparator: \.isWhitespace)
    return words.prefix(words.count * max(maxTokens, 0) / estimated).joined(separator: " ")
}

/// A rough token count of a request: text, reasoning, tool calls and tool declarations. Images, files
/// and sounds do not count.
public func estimateTokens(of request: ChatRequest) -> Int {
    let characters = request.messages.reduce(0) { sum, message in
        var count = message.content.unicodeScalars.count + message.reasoning.unicodeScalars.count
        for part in message.parts {
            if case .text(let text) = part.content { count += text.unicodeScalars.count }
        }
        for call in message.toolCalls { count += (call.name + call.argumentsJSON).unicodeScalars.count }
        return sum + count
    }
    let declarations = request.tools.reduce(0) {
        $0 + ($1.name + $1.description + $1.parametersJSON + ($1.builtin?.configJSON ?? "")).unicodeScalars.count
    }
    return (characters + declarations) / 4
}
