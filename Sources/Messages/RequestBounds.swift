/// What one request may hold at most. A request is turned into values in one go, and every other connection of its loop
/// waits for that; no honest request comes near these numbers.
enum RequestBounds {
    /// Messages of a conversation.
    static let messages = 16_384
    /// Parts of all messages together.
    static let parts = 16_384
    /// Tool calls of all messages together.
    static let toolCalls = 16_384
    /// Tools.
    static let tools = 1024
    /// Texts of an `EmbedRequest`.
    static let inputs = 16_384
    /// Stop sequences.
    static let stops = 64

    /// Names (of models, tools, speakers), media types and other short texts that appear in errors and logs, in bytes.
    static let name = 256
    /// Ids that vendors make, file names, and the end user's id, in bytes.
    static let id = 4096
    /// A token of a caller, in bytes.
    static let token = 4096

    /// - Throws: `MessageError` that names the field.
    static func check(_ count: Int, of field: StaticString, atMost bound: Int) throws(MessageError) {
        guard count > bound else { return }
        throw MessageError("\(field) has \(count) entries; at most \(bound) are allowed")
    }
}
