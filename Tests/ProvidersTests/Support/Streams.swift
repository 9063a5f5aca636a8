/// One sample stream of each dialect, as the vendors send it, with every kind of content.
enum Streams {
    static let openAI = sse(
        [
            #"{"choices":[],"id":"","model":"","object":"","created":0,"prompt_filter_results":[{"prompt_index":0}]}"#,
            #"{"id":"c1","model":"gpt-x","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"finish_reason":null}],"usage":null,"obfuscation":"abc"}"#,
            #"{"id":"c1","model":"gpt-x","choices":[{"index":0,"delta":{"reasoning_content":"hm, "}}]}"#,
            #"{"id":"c1","model":"gpt-x","choices":[{"index":0,"delta":{"content":"Grüße 🎈 "}}]}"#,
            #"{"id":"c1","model":"gpt-x","choices":[{"index":0,"delta":{"content":"\u00e9\ud83c\udf88\n"}}]}"#,
            #"{"id":"c1","choices":[{"index":0,"content_filter_results":{},"finish_reason":null}]}"#,
            #"{"id":"c1","choices":[{"index":0,"delta":{"role":null,"content":null,"tool_calls":[{"index":1,"id":"a","type":"function","function":{"name":"f","arguments":""}}]}}]}"#,
            #"{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"{\"x\":"}}]}}]}"#,
            #"{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"\"é\"}"}}]}}]}"#,
            #"{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":2,"id":"b","function":{"name":"g","arguments":"{}"}}]}}]}"#,
            #"{"id":"c1","choices":[{"index":1,"delta":{"content":"another choice"}}]}"#,
            #"{"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
            #"{"id":"c1","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12,"prompt_tokens_details":{"cached_tokens":3},"completion_tokens_details":{"reasoning_tokens":2}}}"#,
            #"{"id":"c1","choices":[],"moderation":{}}"#, "[DONE]",
        ])

    static let claude = """
        event: message_start
        data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":null,"usage":{"input_tokens":43,"cache_creation_input_tokens":10,"cache_read_input_tokens":20,"output_tokens":1}}     }

        event: ping
        data: {"type": "ping"}

        event: content_block_start
        data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""} }

        event: content_block_delta
        data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm, "}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":0   }

        event: content_block_start
        data: {"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"xyz"}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":1}

        event: content_block_start
        data: {"type":"content_block_start","index":2,"content_block":{"type":"text","text":""}}

        event: ping
        data: {"type": "ping"}

        event: content_block_delta
        data: {"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"Grüße 🎈"}}

        event: vertex_event
        data: {"anything":1}

        event: content_block_stop
        data: {"type":"content_block_stop","index":2}

        event: content_block_start
        data: {"type":"content_block_start","index":3,"content_block":{"type":"server_tool_use","id":"srv_1","name":"web_search","input":{}}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{\\"query\\":\\"a\\"}"}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":3}

        event: content_block_start
        data: {"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"toolu_1","name":"f","input":{}}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":4,"delta":{"type":"input_json_delta","partial_json":""}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":4,"delta":{"type":"input_json_delta","partial_json":"{\\"x\\": \\"é"}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":4,"delta":{"type":"input_json_delta","partial_json":"\\"}"}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":4}

        event: content_block_start
        data: {"type":"content_block_start","index":5,"content_block":{"type":"tool_use","id":"toolu_2","name":"now","input":{}}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":5,"delta":{"type":"input_json_delta","partial_json":""}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":5}

        event: message_delta
        data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":61,"output_tokens":30,"output_tokens_details":{"thinking_tokens":4}}}

        event: message_stop
        data: {"type":"message_stop"}


        """

    static let gemini = sse(
        [
            #"{"usageMetadata":{"trafficType":"ON_DEMAND"},"modelVersion":"gemini-x","responseId":"r1","candidates":[{"content":{"role":"model","parts":[{"text":"hm, ","thought":true}]}}]}"#,
            #"{"candidates":[{"content":{"role":"model","parts":[{"text":"Grüße 🎈"}]}}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":2,"totalTokenCount":9}}"#,
            #"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"x":"é","n":[1,2.5,{"y":null}]}},"thoughtSignature":"c2ln"},{"functionCall":{"name":"f","args":{}}}]}}]}"#,
            #"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"g","willContinue":true}}]}}]}"#,
            #"{"candidates":[{"content":{"parts":[{"functionCall":{"partialArgs":[{"jsonPath":"$.a[0].b","stringValue":"one ","willContinue":true}],"willContinue":true}}]}}]}"#,
            #"{"candidates":[{"content":{"parts":[{"functionCall":{"partialArgs":[{"jsonPath":"$.a[0].b","stringValue":"two"}],"willContinue":true}}]}}]}"#,
            #"{"candidates":[{"content":{"parts":[{"functionCall":{"partialArgs":[{"jsonPath":"$.a[0].c","numberValue":3},{"jsonPath":"$.a[1]","boolValue":false},{"jsonPath":"$.d","nullValue":"NULL_VALUE"}],"willContinue":true}}]}}]}"#,
            #"{"candidates":[{"content":{"parts":[{"functionCall":{}}]}}]}"#,
            #"{"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"bGFzdA=="}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":5,"thoughtsTokenCount":21,"cachedContentTokenCount":3,"totalTokenCount":33}}"#,
        ], lineEnd: "\r\n")

    /// One sample response of each dialect, with every kind of content.
    static let whole: [(provider: String, model: String, body: String)] = [
        (
            "openai", "gpt-4o",
            #"{"id":"c1","model":"gpt-x","choices":[{"index":0,"message":{"role":"assistant","content":"text","refusal":null,"reasoning":"hm","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},{"id":"b","function":{"name":"g","arguments":{"y":[1]}}}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":3},"completion_tokens_details":{"reasoning_tokens":2}}}"#
        ),
        (
            "anthropic_vertex", "claude-sonnet-4-5",
            #"{"id":"msg_1","type":"message","model":"claude-x","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"redacted_thinking","data":"xyz"},{"type":"text","text":"text"},{"type":"server_tool_use","id":"srv_1","name":"web_search","input":{"query":"a"}},{"type":"tool_use","id":"t1","name":"f","input":{"x":[1]}}],"stop_reason":"tool_use","stop_details":{"category":"c","explanation":"e"},"usage":{"input_tokens":61,"cache_read_input_tokens":20,"output_tokens":30,"output_tokens_details":{"thinking_tokens":4}}}"#
        ),
        (
            "vertex", "gemini-2.5-flash",
            #"{"responseId":"r","modelVersion":"g","candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"hm","thought":true},{"text":"text","thoughtSignature":"s"},{"functionCall":{"id":"v","name":"f","args":{"x":1}},"thoughtSignature":"t"},{"functionCall":{"name":"g","partialArgs":[{"jsonPath":"$.a[0].b","stringValue":"x","willContinue":true},{"jsonPath":"$.c","numberValue":3}]}}]},"finishReason":"STOP","finishMessage":"m"}],"promptFeedback":{"blockReason":""},"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":5,"thoughtsTokenCount":21,"totalTokenCount":33}}"#
        ),
    ]

    static func sse(_ events: [String], lineEnd: String = "\n") -> String {
        events.map { "data: \($0)\(lineEnd)\(lineEnd)" }.joined()
    }
}
