internal import ArgumentParser
internal import Generation
internal import GenwireClient
internal import Messages

/// The subcommands that print a report of the server.
let reportCommands: [any ParsableCommand.Type] = [
    Auth.self, Health.self, Models.self, Tokens.self, UsageCommand.self,
]

/// `genwire health`: reports the state of the server and, with `--deep`, of its providers.
struct Health: ServerCommand {
    static let configuration = CommandConfiguration(abstract: "Report the server's health.")

    @ParentCommand var parent: GenwireCommand
    @OptionGroup var own: GlobalOptions
    @Flag(help: "Check each provider too, at no cost.") var deep = false

    func run(_ client: GenwireClient, _ options: GlobalOptions) async throws {
        let report = try await client.health(deep: deep, deadlineMilliseconds: options.deadlineMilliseconds)
        Output.line(
            options.json ? JSONForms().object { $0.describe(report, to: &$1) } : Self.text(report))
        if report.status == .degraded { throw ExitCode(ExitStatus.temporary.rawValue) }
    }

    static func text(_ report: HealthReport) -> String {
        let summary = "\(report.status.rawValue), version \(report.version), up \(Int(report.uptimeSeconds)) s"
        guard !report.providers.isEmpty else { return summary }
        return summary + "\n"
            + Output.table(
                [["MODEL", "PROVIDER", "STATUS", "DETAIL"]]
                    + report.providers.map { [$0.model, $0.provider, $0.status.rawValue, $0.detail] })
    }
}

/// `genwire auth`: checks the credentials with the providers.
struct Auth: ServerCommand {
    static let configuration = CommandConfiguration(
        abstract: "Validate the credentials with the providers, at no cost. Exits with 77 if a required one fails.",
        discussion:
            "An optional model without a key is listed; it counts as a failure only if --model or --provider selects "
            + "it.")

    @ParentCommand var parent: GenwireCommand
    @OptionGroup var own: GlobalOptions
    @Option(help: "Only this provider.", transform: DashedText.plain) var provider = ""

    func run(_ client: GenwireClient, _ options: GlobalOptions) async throws {
        let reports = try await client.validateAuth(
            model: options.model ?? "", provider: provider, deadlineMilliseconds: options.deadlineMilliseconds)
        Output.line(
            options.json ? JSONForms().object { $0.describe(reports, to: &$1) } : Self.text(reports))
        let isNamed = options.model != nil || !provider.isEmpty
        if reports.contains(where: { Self.isFailure($0, isNamed: isNamed) }) {
            throw ExitCode(ExitStatus.denied.rawValue)
        }
    }

    static func text(_ reports: [AuthReport]) -> String {
        Output.table(
            [["MODEL", "PROVIDER", "VALID", "STATUS", "EXPIRES", "DETAIL"]]
                + reports.map { report in
                    let expires = report.expiresInSeconds.map { "\($0) s" } ?? ""
                    return [
                        report.model, report.provider, report.isValid ? "yes" : "no", report.status.rawValue,
                        expires, report.detail,
                    ]
                })
    }

    /// A missing credential of an optional model is a failure only if the model or provider was selected by name.
    static func isFailure(_ report: AuthReport, isNamed: Bool) -> Bool {
        !report.isValid && (isNamed || !report.isOptional || report.status != .unconfigured)
    }
}

/// `genwire models`: lists the configured and, with `--all`, the known models.
struct Models: ServerCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the configured models and routes, or all known models.",
        discussion: "Sizes are in tokens, prices in US dollars per million tokens; unknown values are blank.")

    @ParentCommand var parent: GenwireCommand
    @OptionGroup var own: GlobalOptions
    @Flag(help: "Also list the models that the server knows but that are not configured.") var all = false
    @Argument(help: "List only names that contain this; * matches any text.", transform: DashedText.plain)
    var pattern = ""

    func run(_ client: GenwireClient, _ options: GlobalOptions) async throws {
        let list = try await client.listModels(
            ModelQuestion(all: all, pattern: pattern), deadlineMilliseconds: options.deadlineMilliseconds)
        Output.line(options.json ? JSONForms().object { $0.describe(list, to: &$1) } : Self.text(list))
    }

    static func text(_ list: ModelList) -> String {
        func size(_ tokens: Int) -> String { tokens == 0 ? "" : "\(tokens)" }
        func price(_ dollars: Double?) -> String {
            guard let dollars else { return "" }
            return dollars == dollars.rounded() ? "\(Int(dollars))" : "\(dollars)"
        }
        return Output.table(
            [["NAME", "PROVIDER", "MODEL", "CONTEXT", "OUTPUT", "$IN", "$CACHED", "$OUT", "RETIRES", "CAN"]]
                + list.models.map {
                    [
                        $0.name, $0.provider, $0.modelName, size($0.contextWindow), size($0.maxOutputTokens),
                        price($0.inputPrice), price($0.cachedInputPrice), price($0.outputPrice), $0.retiresOn,
                        $0.capabilities.joined(separator: " "),
                    ]
                }
                + list.routes.map {
                    [$0.name, "route", $0.strategy, "", "", "", "", "", "", $0.targets.joined(separator: " ")]
                })
    }
}

/// `genwire tokens`: counts the tokens of a text.
struct Tokens: ServerCommand {
    static let configuration = CommandConfiguration(abstract: "Count the tokens of a text.")

    @ParentCommand var parent: GenwireCommand
    @OptionGroup var own: GlobalOptions
    @Argument(help: "The text, or - to read it from standard input.", transform: DashedText.plain) var text: String

    func run(_ client: GenwireClient, _ options: GlobalOptions) async throws {
        let (tokens, source) = try await client.countTokens(
            text == "-" ? try Input.text("-") : text, model: options.model ?? "",
            deadlineMilliseconds: options.deadlineMilliseconds)
        Output.line(
            options.json
                ? JSONForms().object { $0.describeTokenCount(tokens, source: source, to: &$1) }
                : "\(tokens)" + (source == .estimated ? " (estimated, 4 characters per token)" : ""))
    }
}

/// `genwire usage`: shows the usage per model.
struct UsageCommand: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage", abstract: "Show usage since the server started.")

    @ParentCommand var parent: GenwireCommand
    @OptionGroup var own: GlobalOptions

    func run(_ client: GenwireClient, _ options: GlobalOptions) async throws {
        let rows = try await client.usage(deadlineMilliseconds: options.deadlineMilliseconds)
        Output.line(options.json ? JSONForms().object { $0.describe(rows, to: &$1) } : Self.text(rows))
    }

    static func text(_ rows: [UsageReport]) -> String {
        Output.table(
            [["PROVIDER", "MODEL", "REQUESTS", "FAILED", "CANCELLED", "INPUT", "OUTPUT", "MEAN MS"]]
                + rows.map {
                    [
                        $0.provider, $0.model, "\($0.requests)", "\($0.failedRequests)", "\($0.cancelledRequests)",
                        "\($0.inputTokens)", "\($0.outputTokens)", "\(Int($0.averageLatencySeconds * 1000))",
                    ]
                })
    }
}
