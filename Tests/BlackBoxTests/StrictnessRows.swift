import Foundation

/// One row per refusal of the simulator, with the vendor's words, and beside each what the vendor serves.
extension StrictnessTests {
    struct Row: Sendable {
        let vendor: String
        let model: String
        let body: String
        /// The words of the refusal; `nil` if the request is served.
        let words: String?
        var status = 400
        /// In place of the vendor's usual ones.
        var region = "global"
        var version = "2025-04-01-preview"

        init(
            _ vendor: String, _ model: String, _ body: String, _ words: String?, status: Int = 400,
            region: String = "global", version: String = "2025-04-01-preview"
        ) {
            self.vendor = vendor
            self.model = model
            self.body = body
            self.words = words
            self.status = words == nil ? 200 : status
            self.region = region
            self.version = version
        }

        var path: String {
            switch vendor {
            case "openai": "/v1/chat/completions"
            case "azure_openai": "/openai/deployments/\(model)/chat/completions?api-version=\(version)"
            case "groq": "/openai/v1/chat/completions"
            case "anthropic": "/v1/messages"
            case "anthropic_vertex":
                "/v1/projects/p/locations/\(region)/publishers/anthropic/models/\(model):rawPredict"
            case "gemini": "/v1beta/models/\(model):generateContent"
            default: "/v1/projects/p/locations/\(region)/publishers/google/models/\(model):generateContent"
            }
        }

        /// The body with what every request to the vendor has.
        var whole: String {
            let members = body.isEmpty ? "" : body + ","
            let ask = #""messages":[{"role":"user","content":"Say json"}]"#
            switch vendor {
            case "gemini", "vertex":
                return body.contains("contents")
                    ? "{\(body)}" : #"{\#(members)"contents":[{"role":"user","parts":[{"text":"x"}]}]}"#
            case "anthropic", "anthropic_vertex":
                var text = body.contains("messages") ? members : members + ask + ","
                if !body.contains("max_tokens") { text += #""max_tokens":3000,"# }
                return vendor == "anthropic"
                    ? #"{\#(text)"model":"\#(model)"}"# : #"{\#(text)"anthropic_version":"vertex-2023-10-16"}"#
            default:
                return body.contains("messages")
                    ? #"{\#(members)"model":"\#(model)"}"# : #"{\#(members)"model":"\#(model)",\#(ask)}"#
            }
        }
    }

    private static let tools =
        #""tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}]"#
    private static let claudeTools = #""tools":[{"name":"f","input_schema":{"type":"object","properties":{}}}]"#
    private static let image =
        #""messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://h/x.png"}}]}]"#
    private static let claudeImage =
        #""messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"https://h/x.png"}}]}]"#
    private static let prefill =
        #""messages":[{"role":"user","content":"x"},{"role":"assistant","content":"{"}]"#

    private static func format(_ schema: String) -> String {
        #""output_config":{"format":{"type":"json_schema","schema":\#(schema)}}"#
    }

    private static func schema(_ text: String) -> String {
        #""response_format":{"type":"json_schema","json_schema":{"name":"n","schema":\#(text)}}"#
    }

    /// A conversation with a call of a tool and its result, of Chat Completions; `more` are members of the call's message.
    private static func toolLoop(_ more: String = "") -> String {
        tools + #","messages":[{"role":"user","content":"x"},{"role":"assistant","content":null,\#(more)"#
            + #""tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},"#
            + #"{"role":"tool","tool_call_id":"c1","content":"1"}]"#
    }

    private static func geminiLoop(_ signature: String) -> String {
        #""contents":[{"role":"user","parts":[{"text":"x"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}"#
            + (signature.isEmpty ? "" : #","thoughtSignature":"\#(signature)""#)
            + #"}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{}}}]}]"#
    }

    private static func thinking(_ text: String) -> String {
        #""generationConfig":{"thinkingConfig":{\#(text)}}"#
    }

    private static let onlyDefault = "Only the default (1) value is supported."

    static let openAI: [Row] = [
        Row("openai", "gpt-6-sol", #""max_tokens":9"#, "Use 'max_completion_tokens' instead."),
        Row("openai", "gpt-6-sol", #""max_completion_tokens":9"#, nil),
        Row(
            "openai", "gpt-6-sol", #""temperature":0.7"#,
            "'temperature' does not support 0.7 with this model. \(onlyDefault)"),
        Row("openai", "gpt-6-sol", #""temperature":1"#, nil),
        Row("openai", "gpt-6-sol", #""stop":["x"]"#, "Unsupported parameter: 'stop' is not supported with this model."),
        Row("openai", "gpt-6-sol", #""presence_penalty":0.5"#, "Unsupported parameter: 'presence_penalty'"),
        Row("openai", "gpt-6.1-sol", #""max_tokens":9"#, "Use 'max_completion_tokens' instead."),
        Row("openai", "chat-latest", #""max_tokens":9"#, "Use 'max_completion_tokens' instead."),
        Row("openai", "ft:o4-mini-2025-04-16:org::id", #""max_tokens":9"#, "Use 'max_completion_tokens' instead."),
        Row("openai", "ft:gpt-5-mini:org::id", #""temperature":0"#, onlyDefault),
        Row("openai", "gpt-5.4", tools, nil),
        Row(
            "openai", "gpt-5.4", tools + #","reasoning_effort":"low""#,
            "Function tools with reasoning_effort are not supported for gpt-5.4 in /v1/chat/completions."),
        Row("openai", "gpt-5.6", tools, "To use function tools, use /v1/responses or set reasoning_effort to 'none'."),
        Row("openai", "gpt-5.6", tools + #","reasoning_effort":"none""#, nil),
        Row("openai", "gpt-6-sol", tools, "Function tools with reasoning_effort are not supported for gpt-6-sol"),
        Row("openai", "gpt-6-astra", tools + #","reasoning_effort":"low""#, "Please use /v1/responses instead."),
        Row(
            "openai", "gpt-6-astra", #""reasoning_effort":"none""#,
            "Supported values are: 'low', 'medium', 'high', and 'xhigh'."),
        Row(
            "openai", "gpt-5", #""reasoning_effort":"none""#,
            "Supported values are: 'minimal', 'low', 'medium', and 'high'."),
        Row(
            "openai", "gpt-5.1", #""reasoning_effort":"minimal""#,
            "Supported values are: 'none', 'low', 'medium', and 'high'."),
        Row("openai", "gpt-5.2-chat-latest", #""reasoning_effort":"high""#, "Supported values are: 'medium'."),
        Row("openai", "gpt-5.1", #""temperature":0.2"#, nil),
        Row("openai", "gpt-5.1", #""temperature":0.2,"reasoning_effort":"low""#, onlyDefault),
        Row("openai", "gpt-5", #""stop":"x""#, "Unsupported parameter: 'stop'"),
        Row("openai", "gpt-5", #""top_p":0.5"#, "Unsupported parameter: 'top_p'"),
        Row("openai", "o3", tools + #","parallel_tool_calls":false"#, "Unsupported parameter: 'parallel_tool_calls'"),
        Row("openai", "o1", #""stop":"x""#, nil),
        Row(
            "openai", "gpt-4o", #""reasoning_effort":"low""#, "Unrecognized request argument supplied: reasoning_effort"
        ),
        Row(
            "openai", "gpt-5-pro", "", "This model is only supported in v1/responses and not in v1/chat/completions.",
            status: 404),
        Row("openai", "gpt-5.1-codex-max", "", "This model is only supported in v1/responses", status: 404),
        Row("openai", "text-embedding-3-small", "", "This is not a chat model", status: 404),
        Row(
            "openai", "gpt-4o-mini", #""max_tokens":16385"#,
            "max_tokens is too large: 16385. This model supports at most 16384 completion tokens"),
        Row("openai", "gpt-4o-mini", #""max_tokens":16384"#, nil),
        Row(
            "openai", "gpt-6-sol", #""max_completion_tokens":128001"#,
            "This model supports at most 128000 completion tokens"),
        Row(
            "openai", "gpt-4", schema(#"{"type":"object"}"#),
            "'response_format' of type 'json_schema' is not supported with this model."),
        Row(
            "openai", "gpt-4", #""response_format":{"type":"json_object"}"#,
            "'response_format' of type 'json_object' is not supported"),
        Row("openai", "o3-mini", image, "Invalid content type. image_url is only supported by certain models."),
        Row(
            "openai", "gpt-4o-search-preview", #""temperature":1"#,
            "Model incompatible request argument supplied: temperature"),
        Row(
            "openai", "deepseek-v4-pro", toolLoop(),
            "The `reasoning_content` in the thinking mode must be passed back to the API."),
        Row("openai", "deepseek-v4-pro", toolLoop(#""reasoning_content":"why","#), nil),
        Row(
            "openai", "kimi-k2.5", toolLoop(), "reasoning_content is missing in assistant tool call message at index 1"),
        Row(
            "openai", "some-server-model", toolLoop() + #","temperature":1.7,"max_tokens":9,"reasoning_effort":"x""#,
            nil),
        Row(
            "azure_openai", "o3-mini", "",
            "Model o3-mini is enabled only for api versions 2024-12-01-preview and later", version: "2024-10-21"),
        Row("azure_openai", "o3-mini", "", nil, version: "2024-12-01-preview"),
        Row(
            "azure_openai", "gpt-5", "", "is enabled only for api versions 2025-04-01-preview and later",
            version: "2025-01-01-preview"),
        Row("azure_openai", "gpt-4o", "", nil, version: "2024-10-21"),
        Row("azure_openai", "gpt-4o", "", "Resource not found", status: 404, version: "v1"),
        Row("azure_openai", "gpt-4o/openai/deployments/gpt-4o", "", "Resource not found", status: 404),
        Row("azure_openai", "my-gpt5-prod", #""max_tokens":9"#, "Use 'max_completion_tokens' instead."),
        Row("azure_openai", "gpt-6-sol", #""temperature":0.7"#, onlyDefault),
        Row(
            "azure_openai", "gpt-5.1-codex", "",
            "The chatCompletion operation does not work with the specified model, gpt-5.1-codex."),
        Row(
            "groq", "openai/gpt-oss-120b", #""reasoning_effort":"none""#,
            "`reasoning_effort` must be one of `low`, `medium`, or `high`"),
        Row(
            "groq", "openai/gpt-oss-120b", #""reasoning_effort":"xhigh""#,
            "`reasoning_effort` must be one of `low`, `medium`, or `high`"),
        Row("groq", "openai/gpt-oss-120b", #""reasoning_effort":"high""#, nil),
        Row(
            "groq", "openai/gpt-oss-120b", #""reasoning_format":"parsed""#,
            "reasoning_format is not supported with this model"),
        Row("groq", "openai/gpt-oss-120b", image, "value must be a string"),
        Row("groq", "openai/gpt-oss-20b", #""max_completion_tokens":65537"#, "must be less than or equal to `65536`"),
        Row(
            "groq", "qwen/qwen3-32b", #""reasoning_effort":"high""#,
            "`reasoning_effort` must be one of `none` or `default`"),
        Row(
            "groq", "llama-3.3-70b-versatile", #""reasoning_effort":"low""#,
            "`reasoning_effort` is not supported with this model"),
    ]

    static let claude: [Row] = [
        Row(
            "anthropic", "claude-opus-5-5", #""thinking":{"type":"disabled"}"#,
            "\"thinking.type.disabled\" is not supported for this model."),
        Row(
            "anthropic", "claude-fable-5-1", #""thinking":{"type":"disabled"}"#,
            "\"thinking.type.disabled\" is not supported for this model."),
        Row(
            "anthropic", "claude-sonnet-5-5", #""thinking":{"type":"disabled"}"#,
            "Use \"thinking.type.between_tools\" instead."),
        Row("anthropic", "claude-sonnet-5-5", #""thinking":{"type":"between_tools"}"#, nil),
        Row(
            "anthropic", "claude-opus-4-8", #""thinking":{"type":"between_tools"}"#,
            "\"thinking.type.between_tools\" is not supported"),
        Row("anthropic", "claude-opus-5", #""thinking":{"type":"disabled"}"#, nil),
        Row(
            "anthropic", "claude-opus-5-5", claudeTools + #","tool_choice":{"type":"any"}"#,
            "tool_choice: type 'any' is not supported for this model."),
        Row(
            "anthropic", "claude-opus-5-5", claudeTools + #","tool_choice":{"type":"tool","name":"f"}"#,
            "tool_choice: type 'tool' is not supported"),
        Row("anthropic", "claude-opus-5", claudeTools + #","tool_choice":{"type":"any"}"#, nil),
        Row("anthropic", "claude-opus-5-5", prefill, "This model does not support assistant message prefill."),
        Row("anthropic", "claude-sonnet-4-5", prefill, nil),
        Row(
            "anthropic", "claude-sonnet-4-5", format(#"{"type":"object","properties":{}}"#),
            "For 'object' type, 'additionalProperties' must be explicitly set to false"),
        Row(
            "anthropic", "claude-sonnet-4-5",
            format(
                #"{"type":"object","additionalProperties":false,"properties":{"a":{"type":"array","items":{"type":"object"}}}}"#
            ), "'additionalProperties' must be explicitly set to false"),
        Row(
            "anthropic", "claude-sonnet-4-5",
            format(
                #"{"type":"object","additionalProperties":false,"properties":{"a":{"type":"integer","minimum":1}}}"#),
            "For 'integer' type, property 'minimum' is not supported"),
        Row(
            "anthropic", "claude-sonnet-4-5",
            format(#"{"type":"object","additionalProperties":false,"properties":{"a":{"type":"integer"}}}"#), nil),
        Row(
            "anthropic", "claude-sonnet-4-5",
            #""tools":[{"name":"f","strict":true,"input_schema":{"type":"object","properties":{}}}]"#,
            "tools.0.custom: For 'object' type"),
        Row(
            "anthropic", "claude-3-5-haiku-20241022", format(#"{"type":"object","additionalProperties":false}"#),
            "does not support output_config.format."),
        Row(
            "anthropic", "claude-sonnet-4-5", #""temperature":1,"top_p":0.9"#,
            "`temperature` and `top_p` cannot both be specified for this model. Please use only one."),
        Row("anthropic", "claude-opus-4-1", #""temperature":1,"top_p":0.9"#, "cannot both be specified"),
        Row("anthropic", "claude-sonnet-4-6", #""temperature":1,"top_p":0.9"#, "cannot both be specified"),
        Row("anthropic", "claude-sonnet-4-20250514", #""temperature":1,"top_p":0.9"#, nil),
        Row("anthropic", "claude-sonnet-4-5", #""temperature":1.5"#, "temperature: range: 0..1"),
        Row("anthropic", "claude-opus-4-7", #""temperature":0"#, "`temperature` is deprecated for this model."),
        Row("anthropic", "claude-opus-5-5", #""top_k":4"#, "`top_k` is deprecated for this model."),
        Row(
            "anthropic", "claude-opus-4-7", #""thinking":{"type":"enabled","budget_tokens":2000}"#,
            "Use \"thinking.type.adaptive\" and \"output_config.effort\""),
        Row(
            "anthropic", "claude-sonnet-4-5", #""thinking":{"type":"adaptive"}"#,
            "adaptive thinking is not supported on this model"),
        Row(
            "anthropic", "claude-3-5-haiku-20241022", #""thinking":{"type":"enabled","budget_tokens":2000}"#,
            "does not support thinking."),
        Row(
            "anthropic", "claude-opus-4-6", #""thinking":{"type":"adaptive"},"temperature":0.5"#,
            "`temperature` may only be set to 1 when thinking is enabled"),
        Row(
            "anthropic", "claude-opus-4-6", #""thinking":{"type":"adaptive"},"top_k":5"#,
            "`top_k` must be unset when thinking is enabled."),
        Row(
            "anthropic", "claude-opus-4-6", #""thinking":{"type":"adaptive"},"top_p":0.5"#,
            "`top_p` must be greater than or equal to 0.95"),
        Row(
            "anthropic", "claude-opus-4-6",
            claudeTools + #","thinking":{"type":"adaptive"},"tool_choice":{"type":"any"}"#,
            "Thinking may not be enabled when tool_choice forces tool use."),
        Row("anthropic", "claude-opus-4-6", claudeLoop("one"), nil),
        Row(
            "anthropic", "claude-sonnet-4-5", claudeLoop("one", thinking: #""enabled","budget_tokens":2000"#),
            "Expected `thinking` or `redacted_thinking`, but found `tool_use`."),
        Row(
            "anthropic", "claude-sonnet-4-5", #""output_config":{"effort":"low"}"#,
            "This model does not support the effort parameter."),
        Row(
            "anthropic", "claude-opus-4-5", #""output_config":{"effort":"max"}"#,
            "This model does not support effort level 'max'. Supported levels: high, low, medium."),
        Row(
            "anthropic", "claude-opus-4-6", #""output_config":{"effort":"xhigh"}"#,
            "Supported levels: high, low, max, medium."),
        Row("anthropic", "claude-opus-5-5", #""output_config":{"effort":"xhigh"}"#, nil),
        Row(
            "anthropic", "claude-opus-4-5-20251101", #""max_tokens":128001"#,
            "max_tokens: 128001 > 64000, which is the maximum allowed number of output tokens for claude-opus-4-5-20251101"
        ),
        Row("anthropic", "claude-opus-5-5", #""max_tokens":128000"#, nil),
        Row(
            "anthropic_vertex", "claude-opus-4-6", claudeImage,
            "messages.0.content.0.image.source.base64.data: URL sources are not supported"),
        Row("anthropic", "claude-opus-4-6", claudeImage, nil),
        Row(
            "anthropic_vertex", "claude-opus-4-1@20250805",
            format(#"{"type":"object","additionalProperties":false}"#),
            "output_config.format: Extra inputs are not permitted"),
        Row(
            "anthropic_vertex", "claude-sonnet-4-5@20250929",
            format(#"{"type":"object","additionalProperties":false}"#), nil),
        Row("anthropic_vertex", "claude-sonnet-4-6", format(#"{"type":"object","additionalProperties":false}"#), nil),
    ]

    static let google: [Row] = [
        Row(
            "vertex", "gemini-3.8-flash", thinking(#""thinkingLevel":"MINIMAL""#),
            "Thinking level MINIMAL is not supported for this model"),
        Row(
            "gemini", "gemini-3.7-flash", thinking(#""thinkingLevel":"MINIMAL""#),
            "Thinking level MINIMAL is not supported"),
        Row("gemini", "gemini-3.5-flash", thinking(#""thinkingLevel":"MINIMAL""#), nil),
        Row(
            "gemini", "gemini-3.1-pro-preview", thinking(#""thinkingLevel":"XHIGH""#),
            "Thinking level XHIGH is not supported"),
        Row(
            "gemini", "gemini-3-pro-preview", thinking(#""thinkingLevel":"MEDIUM""#),
            "Thinking level MEDIUM is not supported"),
        Row(
            "gemini", "gemini-2.5-flash", thinking(#""thinkingLevel":"LOW""#),
            "Thinking level is not supported for this model."),
        Row(
            "gemini", "gemini-2.5-pro", thinking(#""thinkingBudget":0"#),
            "Budget 0 is invalid. This model only works in thinking mode."),
        Row(
            "gemini", "gemini-2.5-pro", thinking(#""thinkingBudget":52428"#),
            "The thinking budget (52428) is invalid. Please choose a value between 128 and 32768."),
        Row(
            "gemini", "gemini-2.5-flash-lite", thinking(#""thinkingBudget":100"#),
            "The thinking budget (100) is invalid."),
        Row("gemini", "gemini-2.5-flash", thinking(#""thinkingBudget":0"#), nil),
        Row("gemini", "gemini-2.5-flash", thinking(#""thinkingBudget":0,"includeThoughts":true"#), nil),
        Row(
            "vertex", "gemini-2.5-flash", thinking(#""thinkingBudget":0,"includeThoughts":true"#),
            "Thinking_config.include_thoughts is only enabled when thinking is enabled"),
        Row(
            "gemini", "gemma-4-31b-it", thinking(#""thinkingBudget":1024"#),
            "Thinking budget is not supported for this model."),
        Row("gemini", "gemma-4-31b-it", thinking(#""thinkingLevel":"LOW""#), "Thinking level LOW is not supported"),
        Row("gemini", "gemma-4-31b-it", thinking(#""thinkingLevel":"HIGH""#), nil),
        Row(
            "gemini", "gemini-4-argon", thinking(#""thinkingBudget":1024"#),
            "Thinking budget is not supported for this model."),
        Row(
            "vertex", "gemini-2.0-flash", thinking(#""includeThoughts":true"#),
            "thinking is not supported by this model"),
        Row(
            "gemini", "gemini-3.8-flash", #""generationConfig":{"presencePenalty":0.5}"#,
            "Penalty is not enabled for this model"),
        Row(
            "gemini", "gemini-2.5-flash", #""generationConfig":{"frequencyPenalty":0.5}"#,
            "Penalty is not enabled for this model"),
        Row("gemini", "gemini-2.5-flash", #""generationConfig":{"frequencyPenalty":0}"#, nil),
        Row("gemini", "gemini-3.8-flash", #""generationConfig":{"temperature":0.5}"#, nil),
        Row(
            "gemini", "gemini-3.8-flash", #""generationConfig":{"maxOutputTokens":65537}"#,
            "it has a maxOutputTokens value of 65537"),
        Row(
            "vertex", "gemini-3.8-flash", "",
            "Publisher Model `projects/p/locations/us-central1/publishers/google/models/gemini-3.8-flash` was not found",
            status: 404, region: "us-central1"),
        Row("vertex", "gemini-3.8-flash", "", nil, region: "eu"),
        Row("vertex", "gemini-2.5-flash", "", nil, region: "us-central1"),
        Row("vertex", "gemini-3.8-flash", geminiLoop(""), "missing a thought_signature in functionCall parts."),
        Row("gemini", "gemini-4-argon", geminiLoop(""), "missing a thought_signature in functionCall parts."),
        Row("gemini", "gemini-4-argon", geminiLoop("skip_thought_signature_validator"), nil),
        Row("gemini", "gemini-4-argon", geminiLoop("Zm9yZWlnbg=="), "Corrupted thought signature."),
        Row("gemini", "gemini-2.5-flash", geminiLoop(""), nil),
        Row("gemini", "gemini-embedding-001", "", "is not supported for generateContent", status: 404),
    ]

    /// A turn of Claude that calls a tool, after `block`, and the result; `first` begins the conversation.
    static func claudeLoop(_ first: String, _ block: String = "", thinking: String = #""adaptive""#) -> String {
        #"\#(claudeTools),"thinking":{"type":\#(thinking)},"messages":[{"role":"user","content":"\#(first)"},"#
            + #"{"role":"assistant","content":[\#(block){"type":"tool_use","id":"t1","name":"f","input":{}}]},"#
            + #"{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"1"}]}]"#
    }
}
