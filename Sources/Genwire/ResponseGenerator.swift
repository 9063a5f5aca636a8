public import Generation

/// A context document for a prompt.
public struct Document: Sendable, Equatable {
    /// An id for the application's use; not part of the prompt.
    public var id: String
    /// The text.
    public var content: String
    /// The title, which precedes the text in the prompt; empty for none.
    public var title: String

    /// Creates a document.
    public init(id: String = "", content: String, title: String = "") {
        self.id = id
        self.content = content
        self.title = title
    }
}

/// Generates responses from context documents. Implement it to build prompts that a template cannot express.
public protocol ResponseGenerator: Sendable {
    /// Answers `query` from the documents and the previous conversation.
    /// - Throws: `GenerationError`.
    func generateResponse(
        query: String, contextDocuments: [Document], conversationHistory: [Message]
    ) async throws(GenerationError) -> String
}

/// A `ResponseGenerator` that fills in a template and sends it to a model as one prompt.
public struct TemplateGenerator: ResponseGenerator {
    /// The default template. `{context}`, `{history}` and `{query}` are replaced.
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

    /// Creates a generator that uses `model`.
    /// - Parameters:
    ///   - template: a prompt with the placeholders of `defaultTemplate`.
    ///   - maxContextTokens: maximum estimated size of the documents in tokens. The first document that exceeds it and
    ///     all documents after it are omitted. `nil` for no limit.
    public init(
        model: any GenerationModel, template: String = TemplateGenerator.defaultTemplate, maxContextTokens: Int? = nil
    ) {
        self.model = model
        self.template = template
        self.maxContextTokens = maxContextTokens
    }

    /// Sends `prompt(query:contextDocuments:conversationHistory:)` to the model and returns the text of the response.
    public func generateResponse(
        query: String, contextDocuments: [Document], conversationHistory: [Message] = []
    ) async throws(GenerationError) -> String {
        try await model.generateContent(
            prompt(query: query, contextDocuments: contextDocuments, conversationHistory: conversationHistory))
    }

    /// Returns the prompt that `generateResponse` sends.
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

    /// Replaces each `{name}` in one pass, from left to right, so that placeholders inside values are not expanded.
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
