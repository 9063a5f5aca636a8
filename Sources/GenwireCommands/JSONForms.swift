internal import Encodings
internal import Generation
internal import GenwireClient
internal import JSON
internal import Messages

/// Writes the JSON of `--json` (docs/json-output.md). The messages of the contract are written field by field, from
/// their descriptors, so that no field can be missing; only the members around them are written here.
struct JSONForms {
    private let coder = MessageCoder()

    /// Returns a JSON object whose members `body` writes.
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

    /// A `ChatResponse`. Its fields are preceded by those of its message that scripts need most, with the same names as
    /// in the output of `generate` and of older releases.
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

    /// An error: the code and message of the status with the fields of its `ErrorDetail`. Without one, `kind` is empty.
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
    /// Writes Base64, as in Protobuf's JSON mapping.
    package mutating func data(_ bytes: [UInt8]) { plainString { Base64.append(bytes, to: &$0) } }
}
