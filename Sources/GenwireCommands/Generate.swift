internal import ArgumentParser
internal import Generation
internal import GenwireClient

/// `genwire generate`: responds to one prompt.
struct Generate: ServerCommand {
    static let configuration = CommandConfiguration(abstract: "Respond to one prompt.")

    @ParentCommand var parent: GenwireCommand
    @OptionGroup var own: GlobalOptions
    @OptionGroup var sampling: SamplingOptions
    @Option(help: "The system message.", transform: DashedText.plain) var system = ""
    @Argument(help: "The prompt, or - to read it from standard input.", transform: DashedText.plain) var prompt: String

    func run(_ client: GenwireClient, _ options: GlobalOptions) async throws {
        let text = prompt == "-" ? try Input.text("-") : prompt
        let response = try await client.generate(
            text, system: system, model: options.model ?? "", options: sampling.options,
            deadlineMilliseconds: options.deadlineMilliseconds)
        AnswerPrinter(json: options.json).generated(response)
    }
}

/// The generation options of `generate`, `chat` and `repl`.
struct SamplingOptions: ParsableArguments {
    @Option(help: "Maximum length of the response, in tokens.") var maxTokens: Int?
    @Option(help: "Sampling temperature, 0 to 2.") var temperature: Double?
    @Option(help: "A stop sequence. May be repeated.", transform: DashedText.plain) var stop: [String] = []
    @Option(help: "Reasoning effort, as the provider names it.", transform: DashedText.plain) var reasoningEffort:
        String?
    @Option(help: "Maximum number of reasoning tokens.") var reasoningBudget: Int?
    @Flag(help: "Show the model's reasoning, on standard error.") var showReasoning = false
    @Flag(help: "Drop unsupported options, with a note, instead of failing.") var dropUnsupported =
        false
    @Option(help: "Requests with the same key share the provider's prompt cache.", transform: DashedText.plain)
    var promptCacheKey = ""
    @Option(help: "The name of a prompt stored with the provider.", transform: DashedText.plain) var cachedContent = ""
    @Option(help: "The service tier, as the provider names it.", transform: DashedText.plain) var serviceTier = ""
    @Option(help: "The length of the response: low, medium or high.", transform: DashedText.plain) var verbosity = ""
    @Option(
        help: "A JSON object to merge into the provider's request body (RFC 7396).", transform: DashedText.plain)
    var extraJson = ""
    @Flag(help: "Return the provider's further fields as extra_json; shown with --json.") var includeExtra = false

    var options: GenerationOptions {
        var options = GenerationOptions()
        options.maxTokens = maxTokens
        options.temperature = temperature
        options.stop = stop
        options.reasoning.effort = reasoningEffort ?? ""
        options.reasoning.budgetTokens = reasoningBudget
        options.reasoning.include = showReasoning
        options.dropUnsupported = dropUnsupported
        options.promptCacheKey = promptCacheKey
        options.cachedContent = cachedContent
        options.serviceTier = serviceTier
        options.verbosity = verbosity
        options.extraJSON = extraJson
        options.includeExtra = includeExtra
        return options
    }
}
