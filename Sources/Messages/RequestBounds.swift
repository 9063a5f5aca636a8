/// Limits on the contents of one request. A request is decoded in one step, while every other connection of its loop
/// waits; legitimate requests stay far below these limits.
enum RequestBounds {
    /// Maximum number of messages of a conversation.
    static let messages = 16_384
    /// Maximum number of parts of all messages together.
    static let parts = 16_384
    /// Maximum number of tool calls of all messages together.
    static let toolCalls = 16_384
    /// Maximum number of tools.
    static let tools = 1024
    /// Maximum number of texts of an `EmbedRequest`.
    static let inputs = 16_384
    /// Maximum number of stop sequences.
    static let stops = 64

    /// Maximum length in bytes of names (of models, tools, speakers), media types and other short texts that appear in
    /// errors and logs.
    static let name = 256
    /// Maximum length in bytes of ids made by vendors, file names and the end user's id.
    static let id = 4096
    /// Maximum length in bytes of a caller's token.
    static let token = 4096

    /// - Throws: a `MessageError` that names the field if `count` exceeds the bound.
    static func check(_ count: Int, of field: StaticString, atMost bound: Int) throws(MessageError) {
        guard count > bound else { return }
        throw MessageError("\(field) has \(count) entries; at most \(bound) are allowed")
    }
}
