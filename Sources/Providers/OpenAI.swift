extension Provider {
    /// OpenAI's chat completions, and with `api_base` every server that speaks them.
    static let openAI = Provider(
        name: "openai",
        capabilities: ["chat", "stream", "tools", "images", "files", "json_object", "json_schema", "reasoning"],
        dialect: .chatCompletions([]),
        base: "https://api.openai.com/v1",
        keyVariable: "OPENAI_API_KEY")
}
