/// OpenAI's chat completions, spoken by OpenAI, Azure, Groq and most servers that people run themselves.
enum ChatCompletions {
    /// What a vendor does differently.
    struct Quirks: OptionSet, Sendable {
        let rawValue: Int
        /// The usage is in `x_groq.usage`.
        static let usageInXGroq = Quirks(rawValue: 1)
    }
}
