internal import ArgumentParser
internal import Generation
internal import GenwireClient

/// One prompt, one answer.
struct Generate: ServerCommand {
    static let configuration = CommandConfiguration(abstract: "Answer one prompt.")

    @ParentCommand var parent: GenwireCommand
    @OptionGroup var own: GlobalOptions
    @OptionGroup var sampling: SamplingOptions
    @Option(help: "Instructions to the model.", transform: DashedText.plain) var system = ""
    @Argument(help: "The prompt, or - to read it from standard input.", transform: DashedText.plain) var prompt: String

    func run(_ client: GenwireClient, _ options: GlobalOptions) async throws {
        let text = prompt == "-" ? try Input.text("-") : prompt
        let response = try await client.generate(
            text, system: system, model: options.model ?? "", options: sampling.options,
            deadlineMilliseconds: options.deadlineMilliseconds)
        AnswerPrinter(json: options.json).generated(response)
    }
}

/// How to answer.
struct SamplingOptions: ParsableArguments {
    @Option(help: "The longest answer, in tokens.") var maxTokens: Int?
    @Option(help: "Randomness, 0 to 2.") var temperature: Double?
    @Option(help: "A text at which the answer ends; may be given several times.", transform: DashedText.plain) var stop:
        [String] = []
    @Option(help: "How hard to think, in the provider's word.", transform: DashedText.plain) var reasoningEffort:
        String?
    @Option(help: "A cap on thinking, in tokens.") var reasoningBudget: Int?
    @Flag(help: "Show the model's reasoning, on standard error.") var showReasoning = false
    @Flag(help: "Leave out what the provider cannot honour, with a note, instead of failing.") var dropUnsupported =
        false

    var options: GenerationOptions {
        var options = GenerationOptions()
        options.maxTokens = maxTokens
        options.temperature = temperature
        options.stop = stop
        options.reasoning.effort = reasoningEffort ?? ""
        options.reasoning.budgetTokens = reasoningBudget
        options.reasoning.include = showReasoning
        options.dropUnsupported = dropUnsupported
        return options
    }
}
