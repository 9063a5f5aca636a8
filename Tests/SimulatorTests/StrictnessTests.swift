import Testing

@testable import JSON
@testable import Simulator

/// The data of the simulator's strictness, and how it is read.
@Suite struct StrictnessTests {
    private func subject(
        _ vendor: Strictness.Vendor, _ endpoint: Strictness.Endpoint, _ model: String
    ) -> Strictness.Subject { Strictness.Subject(vendor: vendor, endpoint: endpoint, model: model) }

    private func file(refusals: String = "{}", rules: String) -> [UInt8] {
        Array(#"{"refusals":\#(refusals),"rules":\#(rules)}"#.utf8)
    }

    @Test func theFileInTheProgramIsWhole() {
        let strictness = Strictness.shared
        #expect(strictness.rules.count > 50 && strictness.rules.allSatisfy { !$0.source.isEmpty })
        #expect(Set(strictness.rules.map(\.endpoint)) == Set(Strictness.Endpoint.allCases))
        #expect(Set(strictness.rules.flatMap(\.vendors)) == Set(Strictness.Vendor.allCases))
        #expect(Set(strictness.rules.flatMap(\.traits)) == Set(Strictness.Trait.allCases))
        #expect(strictness.rules.allSatisfy { !$0.vendors.isEmpty && !($0.refusals.isEmpty && $0.traits.isEmpty) })
    }

    /// A placeholder that stays in a message would be a mistake of the file.
    @Test func everyMessageIsFilledIn() throws {
        for rule in Strictness.shared.rules {
            for refusal in rule.refusals {
                let names = refusal.error.message.split(separator: "{").dropFirst().compactMap {
                    $0.split(separator: "}").first.map { $0.split(separator: " ").last.map(String.init) ?? "" }
                }
                let known = ["model", "value", "index", "name", "type", "keyword", "project"] + refusal.values.keys
                for name in names {
                    #expect(known.contains(name) || Int(name) != nil, "\(name): \(refusal.error.message)")
                }
            }
        }
    }

    @Test(arguments: [
        ("gpt-5", "gpt-5", true), ("gpt-5", "gpt-5.1", false), ("gpt-5*", "gpt-5.1", true), ("*", "", true),
        ("*-pro", "gpt-5-pro", true), ("*-pro", "gpt-5-pro-2025", false), ("a?c", "abc", true), ("a?c", "ac", false),
        ("a*b*c", "axxbyyc", true), ("a*b*c", "axxcyy", false), ("*aab", "aaaab", true), ("GPT*", "gpt-4", true),
    ])
    func patternsOfNames(_ pattern: String, _ name: String, _ matches: Bool) {
        #expect(NameGlob(pattern).matches(Array(name.utf8)) == matches)
    }

    @Test(arguments: [
        (#"{"reasoning":{"effort":"low"}}"#, "gpt-4.1", "Unsupported parameter: 'reasoning.effort'"),
        (#"{"reasoning":{"effort":"none"}}"#, "gpt-6-astra", "'none' is not supported with the 'gpt-6-astra' model."),
        (#"{"reasoning":{"effort":"medium"}}"#, "gpt-5-pro", "Supported values are: 'high'."),
        (#"{"temperature":0.5}"#, "gpt-6-sol", "Unsupported parameter: 'temperature'"),
        (#"{"stop":"x"}"#, "gpt-4o", "Unknown parameter: 'stop'."),
        (#"{"seed":1}"#, "gpt-6-sol", "Unknown parameter: 'seed'."),
        (#"{"tools":[{"type":"function","name":"f"}],"reasoning":{"effort":"max"}}"#, "gpt-6-astra", nil),
        (#"{"top_p":0.5}"#, "gpt-5.1-codex", "Unsupported parameter: 'top_p'"),
        (#"{"temperature":0.5}"#, "gpt-5.4", nil), (#"{}"#, "gpt-5.1-codex", nil),
    ])
    func theResponsesEndpoint(_ body: String, _ model: String, _ words: String?) throws {
        let refusal = Strictness.shared.refusal(
            of: subject(.openAI, .responses, model), try JSONValue(parsing: body))
        guard let words else {
            #expect(refusal == nil)
            return
        }
        #expect(refusal?.message.contains(words) == true, "\(String(describing: refusal))")
    }

    @Test func theEmbeddingsEndpoint() throws {
        let body = try JSONValue(parsing: #"{"input":"x","dimensions":4}"#)
        let old = Strictness.shared.refusal(of: subject(.openAI, .embeddings, "text-embedding-ada-002"), body)
        #expect(old?.message == "This model does not support specifying dimensions.")
        #expect(
            Strictness.shared.refusal(of: subject(.openAI, .embeddings, "text-embedding-3-small"), body) == nil)
        #expect(Strictness.shared.refusal(of: subject(.openAI, .embeddings, "gpt-4o"), body)?.status == 403)
    }

    @Test func nullIsTakenForAbsent() throws {
        let body = try JSONValue(parsing: #"{"max_tokens":null,"stop":null}"#)
        #expect(Strictness.shared.refusal(of: subject(.openAI, .chat, "gpt-6-sol"), body) == nil)
    }

    @Test func traitsAreOfTheirModels() {
        #expect(Strictness.shared.has(.signs, subject(.vertex, .generateContent, "gemini-4-argon")))
        #expect(!Strictness.shared.has(.signs, subject(.vertex, .generateContent, "gemini-2.5-pro")))
        #expect(Strictness.shared.has(.thinks, subject(.azureOpenAI, .chat, "my-gpt5-prod")))
        #expect(Strictness.shared.has(.thinks, subject(.openAI, .responses, "gpt-5.1-codex")))
        #expect(!Strictness.shared.has(.thinks, subject(.openAI, .responses, "gpt-4.1")))
        #expect(Strictness.shared.has(.bindsThinking, subject(.anthropic, .messages, "claude-opus-5-5")))
    }

    @Test(arguments: [
        (#"[]"#, "'rules' is missing or empty"),
        (#"[{"source":"s","vendors":["openai"],"endpoint":"chat","models":[]}]"#, "'models' is empty"),
        (#"[{"vendors":["openai"],"endpoint":"chat","models":["*"]}]"#, "'source' is missing"),
        (#"[{"source":"s","vendors":["open"],"endpoint":"chat","models":["*"]}]"#, "unknown value 'open'"),
        (#"[{"source":"s","vendors":["openai"],"endpoint":"talk","models":["*"]}]"#, "'endpoint' must be one of"),
        (#"[{"source":"s","vendors":["openai"],"endpoint":"chat","models":["*"],"refuse":[]}]"#, "unknown member"),
        (
            #"[{"source":"s","vendors":["openai"],"endpoint":"chat","models":["*"],"refuses":["b"]}]"#,
            "undefined refusal 'b'"
        ),
        (
            #"[{"source":"s","vendors":["openai"],"endpoint":"chat","models":["*"],"refuses":["a"]}]"#,
            "undefined value 'limit'"
        ),
    ])
    func mistakesOfTheFile(_ rules: String, _ words: String) {
        let refusals = #"{"a":{"when":[{"path":"n","above":"limit"}],"message":"m"}}"#
        #expect {
            try Strictness(parsing: file(refusals: refusals, rules: rules))
        } throws: {
            "\($0)".contains(words)
        }
    }

    @Test func listsAreWrittenAsTheVendorsWriteThem() throws {
        let refusals =
            #"{"and":{"when":[{"path":"e","not":"list"}],"message":"{and list}"},"or":{"when":[{"path":"f"}],"message":"{or list} {value}"}}"#
        func message(_ list: String, _ body: String) throws -> String? {
            let rules =
                #"[{"source":"s","vendors":["groq"],"endpoint":"chat","models":["*"],"values":{"list":\#(list)},"refuses":["and","or"]}]"#
            return try Strictness(parsing: file(refusals: refusals, rules: rules))
                .refusal(of: subject(.groq, .chat, "m"), JSONValue(parsing: body))?.message
        }
        #expect(try message(#"["a"]"#, #"{"e":"x"}"#) == "'a'")
        #expect(try message(#"["a","b"]"#, #"{"f":3}"#) == "`a` or `b` 3")
        #expect(try message(#"["a","b","c"]"#, #"{"e":"x"}"#) == "'a', 'b', and 'c'")
        #expect(try message(#"["a"]"#, #"{"e":"a"}"#) == nil)
    }
}
