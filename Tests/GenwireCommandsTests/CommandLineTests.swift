import ArgumentParser
import Generation
import Testing

@testable import GenwireCommands

@Suite struct CommandLineTests {
    private static func prompt(_ words: String...) throws -> Generate {
        try #require(try GenwireCommand.parseAsRoot(DashedText.marked(words)) as? Generate)
    }

    @Test(arguments: ["- hello", "-hello", "-5 degrees", "-5", "-- what", "-a=b", "-", "plain", "--- h = 1", "-ü h"])
    func everyPromptIsAPrompt(_ prompt: String) throws {
        #expect(try Self.prompt("generate", prompt).prompt == prompt)
        #expect(try Self.prompt("generate", prompt, "--model", "m").prompt == prompt)
        #expect(try Self.prompt("generate", "--", prompt).prompt == prompt)
    }

    @Test func textOptionsTakeDashesToo() throws {
        let command = try Self.prompt("--model", "-m1", "generate", "x", "--system", "- be brief", "--stop", "-END-")
        #expect(command.system == "- be brief")
        #expect(command.sampling.stop == ["-END-"])
        #expect(command.parent.options.model == "-m1")
    }

    @Test(arguments: [
        ["generate", "x", "--nonsense"], ["generate", "--system"], ["health", "-json"], ["generate"],
        ["chat", "-muser:x"],
    ])
    func whatIsNoOptionIsStillRefused(_ words: [String]) throws {
        #expect(throws: (any Error).self) { try GenwireCommand.parseAsRoot(DashedText.marked(words)) }
    }

    @Test func helpIsStillHelp() throws {
        for words in [["generate", "-h"], ["generate", "--help"]] {
            var command = try GenwireCommand.parseAsRoot(DashedText.marked(words))
            do {
                try command.run()
                Issue.record("no help")
            } catch {
                #expect(GenwireCommand.exitCode(for: error) == .success)
                #expect(GenwireCommand.fullMessage(for: error).contains("USAGE: genwire generate"))
            }
        }
    }

    // MARK: - The file of --tools

    private static func tools(_ text: String) throws -> [Tool] { try ToolsFile(path: "t.json").tools(Array(text.utf8)) }

    @Test(arguments: [
        #"[{"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": true}]"#,
        #"{"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": true}"#,
        #"{"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}, "strict": true}"#,
        #"""
        [{"type": "function", "function":
            {"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": true}}]
        """#,
    ])
    func goodForms(_ text: String) throws {
        #expect(
            try Self.tools(text) == [
                Tool(name: "f", description: "d", parametersJSON: #"{"type":"object"}"#, strict: true)
            ])
    }

    @Test func toolsOfTheProvider() throws {
        let text = #"[{"builtin": "google_search"}, {"builtin": "web_search_20250305", "config": {"max_uses": 3}}]"#
        #expect(
            try Self.tools(text) == [
                Tool(builtin: BuiltinTool(type: "google_search")),
                Tool(builtin: BuiltinTool(type: "web_search_20250305", configJSON: #"{"max_uses":3}"#)),
            ])
    }

    @Test func everyOptionReachesTheRequest() throws {
        let arguments = [
            "--prompt-cache-key", "k", "--cached-content", "c", "--service-tier", "flex", "--verbosity", "low",
            "--extra-json", "{}", "--include-extra",
        ]
        let options = try SamplingOptions.parse(arguments).options
        #expect([options.promptCacheKey, options.cachedContent, options.serviceTier] == ["k", "c", "flex"])
        #expect([options.verbosity, options.extraJSON] == ["low", "{}"] && options.includeExtra)
    }

    @Test func nullIsAbsent() throws {
        let text = #"{"name": "f", "description": null, "parameters": null, "strict": null}"#
        #expect(try Self.tools(text) == [Tool(name: "f", description: "", parametersJSON: "", strict: nil)])
    }

    @Test(arguments: [
        (
            #"[{"name": "f"}, {"name": "g", "paramters": {}}]"#,
            "tool 2: unknown key 'paramters'; did you mean 'parameters'?"
        ),
        (
            #"{"name": "f", "parameters_json": "{}"}"#,
            "tool 1: unknown key 'parameters_json'; did you mean 'parameters'?"
        ),
        (
            #"{"type": "function", "function": {"name": "f", "desc": "d"}}"#,
            "tool 1: unknown key 'desc'; did you mean 'description'?"
        ),
        (
            #"{"type": "function", "function": {"name": "f"}, "strict": true}"#,
            "tool 1: unknown key 'strict'; valid: type, function"
        ),
        (#"{"type": "web_search", "name": "f"}"#, "tool 1: type: expected \"function\""),
        (#"{"builtin": "x", "name": "f"}"#, "tool 1: unknown key 'name'; valid: builtin, config"),
        (#"{"builtin": 3}"#, "tool 1: builtin: expected text"),
        (#"{"builtin": "x", "config": []}"#, "tool 1: config: expected an object"),
        (#"{"name": "f", "name": "g"}"#, "tool 1: duplicate key 'name'"),
        (#"{"name": "f", "description": 3}"#, "tool 1: description: expected text"),
        (#"{"name": "f", "parameters": "{}"}"#, "tool 1: parameters: expected a JSON Schema object"),
        (#"{"name": "f", "strict": "yes"}"#, "tool 1: strict: expected true or false"),
        (#"{"description": "d"}"#, "tool 1: name is missing"),
        (#"{"tools": [{"name": "f"}]}"#, "tool 1: unknown key 'tools'"),
        ("[3]", "tool 1: expected an object"),
        ("{", "not JSON"),
    ])
    func mistakes(_ text: String, _ mention: String) throws {
        do {
            _ = try Self.tools(text)
            Issue.record("no error")
        } catch {
            #expect("\(error)".hasPrefix("--tools t.json: \(mention)"), "\(error)")
        }
    }
}
