/// An entry of `generators`: how a question over documents becomes a prompt.
public struct GeneratorConfiguration: Sendable, Equatable {
    /// The generator's name.
    public var name: String
    /// The model or route that answers; `default` is the `generation` section.
    public var model: String
    /// The prompt with `{context}`, `{history}` and `{query}` in it; `nil` for the built-in one.
    public var template: String?
    /// The maximum number of tokens of documents in the prompt; `nil` for the built-in number.
    public var maxContextTokens: Int?
    /// The system message; `nil` for none.
    public var system: String?

    /// A generator.
    public init(name: String, model: String = Configuration.defaultModelName) {
        self.name = name
        self.model = model
    }
}

extension GeneratorConfiguration: Keyed {
    static let standard = GeneratorConfiguration(name: "")

    static let keys: [Key<GeneratorConfiguration>] = [
        Key("model", \.model, .text, "The name of the model or route to use."),
        Key(
            "template", \.template, .text, default: "built in",
            "The prompt template, with the placeholders `{context}`, `{history}` and `{query}`."),
        Key(
            "max_context_tokens", \.maxContextTokens, .integer(in: 1...100_000_000), unit: "tokens",
            default: "built in", "The maximum number of tokens of documents in the prompt."),
        Key("system", \.system, .text, default: "none", "The system message."),
    ]

    func check(_ section: Section, given: Set<String>) -> Bool { section["model"] == nil || given.contains("model") }
}
