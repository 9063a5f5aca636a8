public import Generation

/// A document that an answer is made from.
public struct Document: Sendable, Equatable {
    /// The document's id.
    public var id: String
    /// Its text.
    public var content: String
    /// Its title; empty for none.
    public var title: String

    /// A document.
    public init(id: String = "", content: String, title: String = "") {
        self.id = id
        self.content = content
        self.title = title
    }
}

/// Makes answers from documents. Conform a type of your own for special prompts.
public protocol ResponseGenerator: Sendable {
    /// Answers `query` by the documents and the conversation before it.
    /// - Throws: `GenerationError`.
    func generateResponse(
        query: String, contextDocuments: [Document], conversationHistory: [Message]
    ) async throws(GenerationError) -> String
}

/// Fills a template and asks a model: the generator that most uses need.
public struct TemplateGenerator: ResponseGenerator {
    /// The template where none is given. `{context}`, `{history}` and `{query}` are filled in.
    public static let defaultTemplate = """
        Context: {context}

        Conversation History:
        {history}

        User Question: {query}

        Please provide a helpful and accurate response based on the context provided.
        """

    private let model: any GenerationModel
    private let template: String
    private let maxContextTokens: Int?

    /// A generator over `model`.
    /// - Parameter maxContextTokens: the documents' share of the prompt, by estimate; the last documents are left out
    ///   where not all fit. `nil` takes all.
    public init(
        model: any GenerationModel, template: String = TemplateGenerator.defaultTemplate, maxContextTokens: Int? = nil
    ) {
        self.model = model
        self.template = template
        self.maxContextTokens = maxContextTokens
    }

    /// Part of `ResponseGenerator`.
    public func generateResponse(
        query: String, contextDocuments: [Document], conversationHistory: [Message] = []
    ) async throws(GenerationError) -> String {
        try await model.generateContent(
            prompt(query: query, contextDocuments: contextDocuments, conversationHistory: conversationHistory))
    }

    /// The prompt that `generateResponse` asks.
    public func prompt(query: String, contextDocuments: [Document], conversationHistory: [Message]) -> String {
        var context: [String] = []
        var tokens = 0
        for document in contextDocuments {
            let text = document.title.isEmpty ? document.content : "\(document.title)\n\(document.content)"
            tokens += estimateTokens(text)
            if let maxContextTokens, tokens > maxContextTokens { break }
            context.append(text)
        }
        let history = conversationHistory.map { "\(Self.name($0.role)): \($0.content)" }
        return Self.fill(
            template,
            ["context": context.joined(separator: "\n"), "history": history.joined(separator: "\n"), "query": query])
    }

    /// Replaces `{name}` once, from left to right: what a value holds is never taken for a placeholder.
    static func fill(_ template: String, _ values: [String: String]) -> String {
        var out = ""
        var rest = template[...]
        while let open = rest.firstIndex(of: "{") {
            out += rest[..<open]
            let after = rest[rest.index(after: open)...]
            if let close = after.firstIndex(of: "}"), let value = values[String(after[..<close])] {
                out += value
                rest = after[after.index(after: close)...]
            } else {
                out += "{"
                rest = after
            }
        }
        return out + rest
    }

    private static func name(_ role: Role) -> String {
        switch role {
        case .system: "system"
        case .user: "user"
        case .assistant: "assistant"
        case .tool: "tool"
        }
    }
}
