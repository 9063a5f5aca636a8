internal import Generation
internal import JSON

/// The bytes that a vendor wants back unchanged (thinking blocks, thought signatures), as they travel through a caller:
/// a JSON object whose only member names the wire family, so that another vendor, to which a conversation may move,
/// knows to leave them out.
enum ProviderState {
    /// Bytes of `family`, with what `body` writes as their content.
    static func bytes(_ family: StaticString, _ body: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter(capacity: 512)
        writer.beginObject()
        writer.key(family)
        body(&writer)
        writer.endObject()
        return writer.bytes
    }

    /// The content of `bytes` where they are of `family`; `nil` for no bytes and for those of another family.
    /// - Throws: `.invalidRequest` where a caller has changed them.
    static func content(
        _ bytes: [UInt8], family: StaticString, parser: JSONParser
    ) throws(GenerationError) -> JSONElement? {
        guard !bytes.isEmpty else { return nil }
        let root = try? parser.parse(bytes)
        guard let root, root.kind == .object else {
            throw unreadable
        }
        return root[family]
    }

    static var unreadable: GenerationError {
        GenerationError(
            .invalidRequest, "provider_state is not valid: send it back exactly as it was returned, or omit it")
    }
}

/// The order of an assistant message's blocks, kept where it has some that only the vendor understands. What the
/// caller sees (text, calls) is kept by reference, so that the bytes stay small.
struct BlockOrder {
    /// One block, in the vendor's order.
    enum Entry {
        /// So many UTF-8 bytes of the message's text, with the vendor's signature where it gave one.
        case text(Int, signature: String?)
        /// The call at this index.
        case call(Int)
        /// A block in the vendor's own words, as JSON text.
        case opaque(String)
    }

    private(set) var entries: [Entry] = []
    private var isNeeded = false
    /// What is kept here, in bytes.
    private(set) var keptBytes = 0

    mutating func text(_ count: Int, signature: String? = nil) {
        guard count > 0 else { return }
        if signature != nil { isNeeded = true }
        if case .text(let before, nil) = entries.last, signature == nil {
            entries[entries.count - 1] = .text(before + count, signature: nil)
        } else {
            append(.text(count, signature: signature), bytes: signature?.utf8.count ?? 0)
        }
    }

    mutating func call(_ index: Int) { append(.call(index), bytes: 0) }

    /// Forgets the calls at `indexes`; those behind them move up, as they do in the message.
    mutating func leaveOutCalls(_ indexes: Set<Int>) {
        guard !indexes.isEmpty else { return }
        // Calls stand here in the order of their indexes.
        var leftOut = 0
        entries = entries.compactMap { entry in
            guard case .call(let index) = entry else { return entry }
            guard indexes.contains(index) else { return .call(index - leftOut) }
            leftOut += 1
            return nil
        }
    }

    mutating func opaque(_ json: String) { fill(reserve(), json) }

    /// Keeps a place for a block whose words come later, if at all.
    mutating func reserve() -> Int {
        append(.opaque(""), bytes: 0)
        return entries.count - 1
    }

    /// Puts a block into its place.
    mutating func fill(_ place: Int, _ json: String) {
        isNeeded = true
        entries[place] = .opaque(json)
        keptBytes += json.utf8.count
    }

    private mutating func append(_ entry: Entry, bytes: Int) {
        entries.append(entry)
        keptBytes += MemoryLayout<Entry>.stride + bytes
    }

    /// The bytes for `provider_state`; empty where text and calls alone tell everything.
    func bytes(_ family: StaticString) -> [UInt8] {
        guard isNeeded else { return [] }
        return ProviderState.bytes(family) { writer in
            writer.beginArray()
            for entry in entries {
                if case .opaque("") = entry { continue }
                writer.beginObject()
                switch entry {
                case .text(let count, let signature):
                    writer.member("text", count)
                    if let signature { writer.member("signature", signature) }
                case .call(let index): writer.member("call", index)
                case .opaque(let json):
                    writer.key("block")
                    writer.raw(json)
                }
                writer.endObject()
            }
            writer.endArray()
        }
    }

    /// Reads `bytes` again; `nil` where they are none of `family`.
    /// - Throws: `.invalidRequest` where a caller has changed them.
    static func entries(
        _ bytes: [UInt8], family: StaticString, parser: JSONParser
    ) throws(GenerationError) -> [Entry]? {
        guard let content = try ProviderState.content(bytes, family: family, parser: parser) else { return nil }
        guard content.count <= CallBudget.blocks else { throw ProviderState.unreadable }
        var entries: [Entry] = []
        for element in content.elements {
            if let count = element["text"]?.int {
                entries.append(.text(max(0, count), signature: element["signature"]?.string))
            } else if let index = element["call"]?.int {
                entries.append(.call(index))
            } else if let block = element["block"], block.kind == .object {
                let json = block.text
                guard !JSONTextChecker.isTooDeep(json) else { throw ProviderState.unreadable }
                entries.append(.opaque(json))
            }
        }
        return entries
    }

    /// Whether `message` has anything that a vendor of `family` takes for content.
    /// - Throws: `.invalidRequest` where a caller has changed the provider's state.
    static func hasContent(
        _ message: Message, family: StaticString, parser: JSONParser
    ) throws(GenerationError) -> Bool {
        if message.hasContent { return true }
        guard let entries = try entries(message.providerState, family: family, parser: parser) else { return false }
        return entries.contains { if case .opaque = $0 { true } else { false } }
    }

    /// `entries` as they fit `message`: a caller may have edited the text or taken a call out. Every call and all of
    /// the text come out exactly once.
    static func resolve(_ entries: [Entry], for message: Message) -> [Resolved] {
        let whole = message.parts.isEmpty ? message.content : ""
        let total = entries.reduce(0) { if case .text(let count, _) = $1 { $0 &+ count } else { $0 } }
        let textFits = total == whole.utf8.count
        var rest = whole.utf8[...]
        var isUsed = [Bool](repeating: false, count: message.toolCalls.count)
        var hasText = false
        var resolved: [Resolved] = []
        for entry in entries {
            switch entry {
            case .text(let count, let signature):
                if textFits {
                    resolved.append(.text(String(decoding: rest.prefix(count), as: UTF8.self), signature: signature))
                    rest = rest.dropFirst(count)
                } else if !hasText {
                    resolved.append(.content)
                }
                hasText = true
            case .call(let index):
                guard isUsed.indices.contains(index), !isUsed[index] else { continue }
                isUsed[index] = true
                resolved.append(.call(index))
            case .opaque(let json): resolved.append(.opaque(json))
            }
        }
        if !hasText || (textFits && total == 0) { resolved.append(.content) }
        return resolved + isUsed.indices.filter { !isUsed[$0] }.map { .call($0) }
    }

    /// A block as it is to be written.
    enum Resolved {
        /// A piece of the message's text, with the vendor's signature where it gave one.
        case text(String, signature: String?)
        /// All of the message's text and parts.
        case content
        /// The call at this index.
        case call(Int)
        /// A block in the vendor's own words, as JSON text.
        case opaque(String)
    }
}
