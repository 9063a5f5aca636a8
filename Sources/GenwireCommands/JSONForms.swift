internal import Encodings
internal import Generation
internal import GenwireClient
internal import JSON
internal import Messages

/// The JSON that `--json` prints (docs/json-output.md). It is the contract's messages field by field, by their
/// descriptions, so that a field of the contract cannot be missing; only the members around them are written here.
struct JSONForms {
    private let coder = MessageCoder()

    /// One object, whose members `body` writes.
    func object(_ body: (MessageCoder, inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        body(coder, &writer)
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// A `GenerateResponse`.
    func generated(_ response: ChatResponse) -> String {
        object { coder, writer in coder.describeGenerated(response, to: &writer) }
    }

    /// A `ChatResponse`. Before its own fields stand those of its message that a script wants first, under the names
    /// that `generate` and older releases have for them.
    func chat(_ response: ChatResponse) -> String {
        object { coder, writer in
            writer.key("text")
            writer.string(response.message.content)
            if !response.message.reasoning.isEmpty {
                writer.key("reasoning")
                writer.string(response.message.reasoning)
            }
            if !response.message.toolCalls.isEmpty {
                writer.key("tool_calls")
                writer.beginArray()
                for call in response.message.toolCalls {
                    writer.beginObject()
                    coder.describe(call, to: &writer)
                    writer.endObject()
                }
                writer.endArray()
            }
            coder.describe(response, to: &writer)
        }
    }

    /// A `ChatChunk`.
    func chunk(_ chunk: StreamedChunk) -> String {
        object { coder, writer in coder.describe(chunk, to: &writer) }
    }

    /// A failure: the status's code and text with the fields of its `ErrorDetail`. Without one, `kind` is empty.
    func error(_ error: ClientError) -> String {
        object { coder, writer in
            writer.key("error")
            writer.beginObject()
            writer.key("code")
            writer.int(error.code)
            writer.key("message")
            writer.string(error.message)
            if let detail = error.detail {
                coder.describe(detail, to: &writer)
            } else {
                writer.key("kind")
                writer.string("")
            }
            writer.endObject()
        }
    }
}

extension JSONWriter: MessageVisitor {
    /// Base64, as in Protobuf's JSON mapping.
    package mutating func data(_ bytes: [UInt8]) { plainString { Base64.append(bytes, to: &$0) } }
}
