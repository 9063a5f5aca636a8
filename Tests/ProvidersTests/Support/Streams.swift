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

    static let responses = sse(
        [
            #"{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","status":"in_progress","model":"gpt-x","error":null,"output":[],"usage":null}}"#,
            #"{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[]}}"#,
            #"{"type":"response.reasoning_summary_part.added","sequence_number":2,"output_index":0,"summary_index":0,"part":{"type":"summary_text","text":""}}"#,
            #"{"type":"response.reasoning_summary_text.delta","sequence_number":3,"output_index":0,"summary_index":0,"delta":"hm, "}"#,
            #"{"type":"response.reasoning_summary_text.done","sequence_number":4,"output_index":0,"summary_index":0,"text":"hm, "}"#,
            #"{"type":"response.output_item.done","sequence_number":5,"output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"hm, "}],"encrypted_content":"c2VjcmV0"}}"#,
            #"{"type":"response.output_item.added","sequence_number":6,"output_index":1,"item":{"id":"ws_1","type":"web_search_call","status":"in_progress"}}"#,
            #"{"type":"response.web_search_call.searching","sequence_number":7,"output_index":1,"item_id":"ws_1"}"#,
            #"{"type":"response.output_item.done","sequence_number":8,"output_index":1,"item":{"id":"ws_1","type":"web_search_call","status":"completed","action":{"type":"search","query":"x"}}}"#,
            #"{"type":"response.output_item.added","sequence_number":9,"output_index":2,"item":{"id":"msg_1","type":"message","role":"assistant","status":"in_progress","phase":"commentary","content":[]}}"#,
            #"{"type":"response.content_part.added","sequence_number":10,"output_index":2,"content_index":0,"part":{"type":"output_text","text":"","annotations":[]}}"#,
            #"{"type":"response.output_text.delta","sequence_number":11,"output_index":2,"content_index":0,"delta":"Grüße 🎈 "}"#,
            #"{"type":"response.output_text.delta","sequence_number":12,"output_index":2,"content_index":0,"delta":"é\ud83c\udf88"}"#,
            #"{"type":"response.output_text.annotation.added","sequence_number":13,"output_index":2,"content_index":0,"annotation_index":0,"annotation":{"type":"url_citation","start_index":6,"end_index":7,"url":"https://example.org/a","title":"A"}}"#,
            #"{"type":"response.output_text.done","sequence_number":14,"output_index":2,"content_index":0,"text":"Grüße 🎈 é🎈"}"#,
            #"{"type":"response.output_item.done","sequence_number":15,"output_index":2,"item":{"id":"msg_1","type":"message","role":"assistant","status":"completed","phase":"commentary","content":[{"type":"output_text","text":"Grüße 🎈 é🎈","annotations":[{"type":"url_citation","start_index":6,"end_index":7,"url":"https://example.org/a","title":"A"}]}]}}"#,
            #"{"type":"response.output_item.added","sequence_number":16,"output_index":3,"item":{"id":"fc_1","type":"function_call","call_id":"a","name":"f","arguments":"","status":"in_progress"}}"#,
            #"{"type":"response.function_call_arguments.delta","sequence_number":17,"output_index":3,"delta":"{\"x\":"}"#,
            #"{"type":"response.function_call_arguments.delta","sequence_number":18,"output_index":3,"delta":"\"é\"}"}"#,
            #"{"type":"response.function_call_arguments.done","sequence_number":19,"output_index":3,"arguments":"{\"x\":\"é\"}"}"#,
            #"{"type":"response.output_item.done","sequence_number":20,"output_index":3,"item":{"id":"fc_1","type":"function_call","call_id":"a","name":"f","arguments":"{\"x\":\"é\"}","status":"completed"}}"#,
            #"{"type":"response.output_item.added","sequence_number":21,"output_index":4,"item":{"id":"fc_2","type":"function_call","call_id":"b","name":"g","arguments":"","status":"in_progress"}}"#,
            #"{"type":"response.output_item.done","sequence_number":22,"output_index":4,"item":{"id":"fc_2","type":"function_call","call_id":"b","name":"g","arguments":"{}","status":"completed"}}"#,
            #"{"type":"response.output_item.done","sequence_number":23,"output_index":5,"item":{"id":"ig_1","type":"image_generation_call","status":"completed","result":"AQID","output_format":"webp"}}"#,
            #"{"type":"response.completed","sequence_number":24,"response":{"id":"resp_1","status":"completed","model":"gpt-x-2026","error":null,"incomplete_details":null,"output":[{"id":"fc_1","type":"function_call","call_id":"a","name":"f","arguments":"{}"}],"usage":{"input_tokens":7,"input_tokens_details":{"cached_tokens":3,"cache_write_tokens":2},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":2},"total_tokens":12}}}"#,
        ])

    /// One rich whole answer of each dialect.
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
            "openai/responses", "gpt-5-mini",
            #"{"id":"resp_1","object":"response","status":"completed","model":"m","error":null,"incomplete_details":null,"output":[{"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"c2VjcmV0"},{"id":"ws_1","type":"web_search_call","status":"completed","action":{"type":"search","query":"x"}},{"id":"msg_1","type":"message","role":"assistant","phase":"commentary","content":[{"type":"output_text","text":"text","annotations":[{"type":"file_citation","file_id":"file_1","filename":"a.txt","index":3}]},{"type":"refusal","refusal":"no"}]},{"id":"fc_1","type":"function_call","call_id":"a","name":"f","arguments":"{\"x\":1}"},{"id":"ctc_1","type":"custom_tool_call","call_id":"b","name":"g","input":"1 + 1"},{"id":"ig_1","type":"image_generation_call","result":"AQID","output_format":"png"}],"usage":{"input_tokens":7,"input_tokens_details":{"cached_tokens":3},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":2},"total_tokens":12}}"#
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
