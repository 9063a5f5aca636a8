internal import Generation
internal import JSON

/// The encoding of `provider_state`: data that a caller must return to the vendor unchanged (thinking blocks, thought
/// signatures). It is a JSON object whose only member is named after the wire family, so that a conversation can
/// continue with another vendor, whose dialect ignores it.
enum ProviderState {
    /// Encodes the value that `body` writes as the state of `family`.
    static func bytes(_ family: StaticString, _ body: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter(capacity: 512)
        writer.beginObject()
        writer.key(family)
        body(&writer)
        writer.endObject()
        return writer.bytes
    }

    /// The content of `bytes` if they belong to `family`; `nil` if they are empty or belong to another family.
    /// - Throws: `.invalidRequest` if they are not valid, for example because the caller changed them.
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

/// The order of an assistant message's blocks, recorded if some of them are specific to the vendor. The text and the
/// calls, which the caller has anyway, are stored by length and index to keep the state small.
struct BlockOrder {
    /// One block, in the vendor's order.
    enum Entry {
        /// The next bytes (UTF-8) of the message's text, by number, with the vendor's signature if there is one.
        case text(Int, signature: String?)
        /// The message's part at this index, with the vendor's signature where it gave one.
        case part(Int, signature: String?)
        /// The call at this index.
        case call(Int)
        /// A block in the vendor's format, as JSON text.
        case opaque(String)

        /// Whether only the vendor understands it.
        var isOpaque: Bool { if case .opaque = self { true } else { false } }
    }

    private(set) var entries: [Entry] = []
    private var isNeeded = false
    /// The memory that the entries use, in bytes.
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

    mutating func part(_ index: Int, signature: String?) {
        if signature != nil { isNeeded = true }
        append(.part(index, signature: signature), bytes: signature?.utf8.count ?? 0)
    }

    mutating func call(_ index: Int) { append(.call(index), bytes: 0) }

    /// Removes the calls at `indexes` and renumbers the calls after them, as in the message.
    mutating func leaveOutCalls(_ indexes: Set<Int>) {
        guard !indexes.isEmpty else { return }
        // The calls are in the order of their indexes.
        var leftOut = 0
        entries = entries.compactMap { entry in
            guard case .call(let index) = entry else { return entry }
            guard indexes.contains(index) else { return .call(index - leftOut) }
            leftOut += 1
            return nil
        }
    }

    mutating func opaque(_ json: String) { fill(reserve(), json) }

    /// Reserves a place for a block whose content may follow; a place that is never filled is not encoded.
    mutating func reserve() -> Int {
        append(.opaque(""), bytes: 0)
        return entries.count - 1
    }

    /// Stores a block at a place that `reserve` returned.
    mutating func fill(_ place: Int, _ json: String) {
        isNeeded = true
        entries[place] = .opaque(json)
        keptBytes += json.utf8.count
    }

    private mutating func append(_ entry: Entry, bytes: Int) {
        entries.append(entry)
        keptBytes += MemoryLayout<Entry>.stride + bytes
    }

    /// The bytes for `provider_state`; empty if the text and the calls alone represent the message.
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
                case .part(let index, let signature):
                    writer.member("part", index)
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

    /// Decodes `bytes`; `nil` if they are empty or belong to another family.
    /// - Throws: `.invalidRequest` if they are not valid, for example because the caller changed them.
    static func entries(
        _ bytes: [UInt8], family: StaticString, parser: JSONParser
    ) throws(GenerationError) -> [Entry]? {
        guard let content = try ProviderState.content(bytes, family: family, parser: parser) else { return nil }
        guard content.count <= CallBudget.blocks else { throw ProviderState.unreadable }
        var entries: [Entry] = []
        for element in content.elements {
            if let count = element["text"]?.int {
                entries.append(.text(max(0, count), signature: element["signature"]?.string))
            } else if let index = element["part"]?.int {
                entries.append(.part(index, signature: element["signature"]?.string))
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

    /// Whether `message` has anything that a vendor of `family` accepts as content.
    /// - Throws: `.invalidRequest` if the provider's state is not valid.
    static func hasContent(
        _ message: Message, family: StaticString, parser: JSONParser
    ) throws(GenerationError) -> Bool {
        if message.hasContent { return true }
        guard let entries = try entries(message.providerState, family: family, parser: parser) else { return false }
        return entries.contains(where: \.isOpaque)
    }

    /// Applies `entries` to `message`, whose text or calls the caller may have edited. The result contains every call
    /// and all of the text exactly once.
    static func resolve(_ entries: [Entry], for message: Message) -> [Resolved] {
        let hasParts = entries.contains { if case .part = $0 { true } else { false } }
        let whole = message.parts.isEmpty || hasParts ? message.content : ""
        let total = entries.reduce(0) { if case .text(let count, _) = $1 { $0 &+ count } else { $0 } }
        let textFits = total == whole.utf8.count
        // Otherwise `.content` is all of the text and all parts.
        let partsFit = hasParts && textFits
        var isWritten = [Bool](repeating: !partsFit, count: message.parts.count)
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
            case .part(let index, let signature):
                guard isWritten.indices.contains(index), !isWritten[index] else { continue }
                isWritten[index] = true
                resolved.append(.part(index, signature: signature))
            case .opaque(let json): resolved.append(.opaque(json))
            }
        }
        if !partsFit, !hasText || (textFits && total == 0) { resolved.append(.content) }
        resolved += isWritten.indices.filter { !isWritten[$0] }.map { .part($0, signature: nil) }
        return resolved + isUsed.indices.filter { !isUsed[$0] }.map { .call($0) }
    }

    /// A block to write into the request.
    enum Resolved {
        /// A piece of the message's text, with the vendor's signature if there is one.
        case text(String, signature: String?)
        /// All of the message's text and parts.
        case content
        /// The message's part at this index, with the vendor's signature where it gave one.
        case part(Int, signature: String?)
        /// The call at this index.
        case call(Int)
        /// A block in the vendor's format, as JSON text.
        case opaque(String)
    }
}
