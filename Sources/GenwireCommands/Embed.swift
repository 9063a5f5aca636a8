internal import ArgumentParser
internal import Generation
internal import GenwireClient
internal import Messages

/// `genwire embed`: prints one vector per text.
struct Embed: ServerCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the vectors of texts, one per line.",
        discussion: "Without texts and files, each line of standard input is a text; empty lines are skipped.")

    @ParentCommand var parent: GenwireCommand
    @OptionGroup var own: GlobalOptions
    @Option(help: "The length of the vectors. Default: the model's default.") var dimensions: Int?
    @Option(
        help: "The purpose of the vectors, as the provider names it, for example RETRIEVAL_QUERY.",
        transform: DashedText.plain)
    var inputType = ""
    @Option(help: "A file to read as one text. May be repeated.", transform: DashedText.plain) var file: [String] = []
    @Flag(help: "Drop unsupported options, with a note, instead of failing.") var dropUnsupported = false
    @Argument(help: "The texts, or - to read one per line from standard input.", transform: DashedText.plain)
    var texts: [String] = []

    func run(_ client: GenwireClient, _ options: GlobalOptions) async throws {
        let request = EmbedRequest(
            model: options.model ?? "", inputs: try inputs(), dimensions: dimensions, inputType: inputType,
            dropUnsupported: dropUnsupported)
        let response = try await client.embed(request, deadlineMilliseconds: options.deadlineMilliseconds)
        guard !options.json else { return Output.line(JSONForms().object { $0.describe(response, to: &$1) }) }
        for vector in response.embeddings { Output.line(Self.text(vector)) }
        for warning in response.warnings { Output.errorLine("note: \(warning)") }
    }

    private func inputs() throws -> [String] {
        var inputs: [String] = []
        for text in texts.isEmpty && file.isEmpty ? ["-"] : texts {
            inputs += text == "-" ? Self.lines(try Input.text("-")) : [text]
        }
        for path in file { inputs.append(try Input.text(path)) }
        return inputs
    }

    static func lines(_ text: String) -> [String] { text.split(whereSeparator: \.isNewline).map(String.init) }

    static func text(_ vector: [Float]) -> String { vector.map(\.description).joined(separator: " ") }
}
