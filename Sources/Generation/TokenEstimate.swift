/// A rough token count: one token for every four characters (Unicode scalars), as the field estimates English text.
public func estimateTokens(_ text: String) -> Int { text.unicodeScalars.count / 4 }

/// Cuts `prompt` at a word so that its estimate is about `maxTokens`; returns it unchanged where it fits.
///
/// Words are kept in proportion: the first `words × maxTokens / estimate` of them.
public func fitPrompt(_ prompt: String, maxTokens: Int) -> String {
    let estimated = estimateTokens(prompt)
    guard estimated > maxTokens, estimated > 0 else { return prompt }
    let words = prompt.split(whereSeparator: \.isWhitespace)
    return words.prefix(words.count * max(maxTokens, 0) / estimated).joined(separator: " ")
}
