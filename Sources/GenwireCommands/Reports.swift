internal import ArgumentParser
internal import Generation
internal import GenwireClient
internal import JSON
internal import Messages

/// Whether the server, and with --deep its providers, are well.
struct Health: ServerCommand {
    static let configuration = CommandConfiguration(abstract: "Ask whether the server serves.")

    @ParentCommand var parent: GenwireCommand
    @OptionGroup var own: GlobalOptions
    @Flag(help: "Ask each provider too. Costs nothing.") var deep = false

    func run(_ client: GenwireClient, _ options: GlobalOptions) async throws {
        let report = try await client.health(deep: deep, deadlineMilliseconds: options.deadlineMilliseconds)
        if options.json {
            Output.line(
                JSONForms.object { writer in
                    JSONForms.text(&writer, "status", report.status)
                    JSONForms.text(&writer, "version", report.version)
                    writer.key("uptime_seconds")
                    writer.double(report.uptimeSeconds)
                    writer.key("providers")
                    writer.beginArray()
                    for provider in report.providers {
                        writer.beginObject()
                        JSONForms.text(&writer, "provider", provider.provider)
                        JSONForms.text(&writer, "model", provider.model)
                        JSONForms.text(&writer, "status", provider.status)
                        JSONForms.text(&writer, "detail", provider.detail)
                        writer.endObject()
                    }
                    writer.endArray()
                })
        } else {
            Output.line("\(report.status), version \(report.version), up \(Int(report.uptimeSeconds)) s")
            if !report.providers.isEmpty {
                Output.line(
                    Output.table(
                        [["MODEL", "PROVIDER", "STATUS", "DETAIL"]]
                            + report.providers.map { [$0.model, $0.provider, $0.status, $0.detail] }))
            }
        }
        if report.status == "degraded" { throw ExitCode(ExitStatus.temporary.rawValue) }
    }
}

/// Whether credentials work.
struct Auth: ServerCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask the providers whether the credentials work, at no cost; exit 77 where a required one fails.",
        discussion:
            "An optional model without a key is listed and counts as a failure only where --model or --provider asks for "
            + "it.")

    @ParentCommand var parent: GenwireCommand
    @OptionGroup var own: GlobalOptions
    @Option(help: "Only this provider.", transform: DashedText.plain) var provider = ""

    func run(_ client: GenwireClient, _ options: GlobalOptions) async throws {
        let reports = try await client.validateAuth(
            model: options.model ?? "", provider: provider, deadlineMilliseconds: options.deadlineMilliseconds)
        if options.json {
            Output.line(
                JSONForms.object { writer in
                    writer.key("results")
                    writer.beginArray()
                    for report in reports {
                        writer.beginObject()
                        JSONForms.text(&writer, "model", report.model)
                        JSONForms.text(&writer, "provider", report.provider)
                        writer.key("valid")
                        writer.bool(report.isValid)
                        writer.key("optional")
                        writer.bool(report.isOptional)
                        JSONForms.text(&writer, "status", report.status)
                        JSONForms.text(&writer, "detail", report.detail)
                        writer.key("expires_in_seconds")
                        writer.int(report.expiresInSeconds)
                        JSONForms.text(&writer, "last_error", report.lastError)
                        writer.key("seconds_since_refresh")
                        writer.int(report.secondsSinceRefresh)
                        writer.endObject()
                    }
                    writer.endArray()
                })
        } else {
            Output.line(
                Output.table(
                    [["MODEL", "PROVIDER", "VALID", "STATUS", "EXPIRES", "DETAIL"]]
                        + reports.map { report in
                            let expires = report.expiresInSeconds > 0 ? "\(report.expiresInSeconds) s" : ""
                            return [
                                report.model, report.provider, report.isValid ? "yes" : "no", report.status, expires,
                                report.detail,
                            ]
                        }))
        }
        // A server may do without an optional model's key; one who asks for that model asks whether it works.
        let isNamed = options.model != nil || !provider.isEmpty
        let isFailure = { (report: AuthReport) in
            !report.isValid && (isNamed || !report.isOptional || report.status != "unconfigured")
        }
        if reports.contains(where: isFailure) { throw ExitCode(ExitStatus.denied.rawValue) }
    }
}

/// What is configured.
struct Models: ServerCommand {
    static let configuration = CommandConfiguration(abstract: "List the configured models and routes.")

    @ParentCommand var parent: GenwireCommand
    @OptionGroup var own: GlobalOptions

    func run(_ client: GenwireClient, _ options: GlobalOptions) async throws {
        let list = try await client.listModels(deadlineMilliseconds: options.deadlineMilliseconds)
        if options.json {
            Output.line(
                JSONForms.object { writer in
                    writer.key("models")
                    writer.beginArray()
                    for model in list.models {
                        writer.beginObject()
                        JSONForms.text(&writer, "name", model.name)
                        JSONForms.text(&writer, "provider", model.provider)
                        JSONForms.text(&writer, "model_name", model.modelName)
                        texts(&writer, "capabilities", model.capabilities)
                        writer.key("default")
                        writer.bool(model.isDefault)
                        writer.endObject()
                    }
                    writer.endArray()
                    writer.key("routes")
                    writer.beginArray()
                    for route in list.routes {
                        writer.beginObject()
                        JSONForms.text(&writer, "name", route.name)
                        JSONForms.text(&writer, "strategy", route.strategy)
                        texts(&writer, "targets", route.targets)
                        writer.endObject()
                    }
                    writer.endArray()
                })
            return
        }
        Output.line(
            Output.table(
                [["NAME", "PROVIDER", "MODEL", "CAN"]]
                    + list.models.map { [$0.name, $0.provider, $0.modelName, $0.capabilities.joined(separator: " ")] }
                    + list.routes.map { [$0.name, "route", $0.strategy, $0.targets.joined(separator: " ")] }))
    }

    private func texts(_ writer: inout JSONWriter, _ key: StaticString, _ values: [String]) {
        writer.key(key)
        writer.beginArray()
        for value in values { writer.string(value) }
        writer.endArray()
    }
}

/// What a text would cost.
struct Tokens: ServerCommand {
    static let configuration = CommandConfiguration(abstract: "Count the tokens of a text.")

    @ParentCommand var parent: GenwireCommand
    @OptionGroup var own: GlobalOptions
    @Argument(help: "The text, or - to read it from standard input.", transform: DashedText.plain) var text: String

    func run(_ client: GenwireClient, _ options: GlobalOptions) async throws {
        let (tokens, source) = try await client.countTokens(
            text == "-" ? try Input.text("-") : text, model: options.model ?? "",
            deadlineMilliseconds: options.deadlineMilliseconds)
        if options.json {
            Output.line(
                JSONForms.object { writer in
                    JSONForms.number(&writer, "input_tokens", tokens)
                    JSONForms.text(&writer, "source", JSONForms.name(source))
                })
        } else {
            Output.line("\(tokens)" + (source == .estimated ? " (estimated, 4 characters a token)" : ""))
        }
    }
}

/// What was used.
struct UsageCommand: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage", abstract: "Show what was used since the server started.")

    @ParentCommand var parent: GenwireCommand
    @OptionGroup var own: GlobalOptions

    func run(_ client: GenwireClient, _ options: GlobalOptions) async throws {
        let rows = try await client.usage(deadlineMilliseconds: options.deadlineMilliseconds)
        if options.json {
            Output.line(
                JSONForms.object { writer in
                    writer.key("rows")
                    writer.beginArray()
                    for row in rows {
                        writer.beginObject()
                        JSONForms.text(&writer, "provider", row.provider)
                        JSONForms.text(&writer, "model", row.model)
                        JSONForms.number(&writer, "requests", Int(row.requests))
                        JSONForms.number(&writer, "successful_requests", Int(row.successfulRequests))
                        JSONForms.number(&writer, "failed_requests", Int(row.failedRequests))
                        JSONForms.number(&writer, "cancelled_requests", Int(row.cancelledRequests))
                        JSONForms.number(&writer, "input_tokens", Int(row.inputTokens))
                        JSONForms.number(&writer, "output_tokens", Int(row.outputTokens))
                        writer.key("average_latency_seconds")
                        writer.double(row.averageLatencySeconds)
                        writer.key("error_rate")
                        writer.double(row.errorRate)
                        writer.endObject()
                    }
                    writer.endArray()
                })
            return
        }
        Output.line(
            Output.table(
                [["PROVIDER", "MODEL", "REQUESTS", "FAILED", "CANCELLED", "INPUT", "OUTPUT", "MEAN MS"]]
                    + rows.map {
                        [
                            $0.provider, $0.model, "\($0.requests)", "\($0.failedRequests)", "\($0.cancelledRequests)",
                            "\($0.inputTokens)", "\($0.outputTokens)", "\(Int($0.averageLatencySeconds * 1000))",
                        ]
                    }))
    }
}
