internal import CSimdJSON

/// A value inside a parsed document: two words, cheap to pass on. Dead after its parser's next `parse`.
public struct JSONElement {
    /// What a value is.
    public enum Kind: Sendable {
        /// `null`.
        case null
        /// `true` or `false`.
        case bool
        /// Any number.
        case number
        /// Text.
        case string
        /// A list.
        case array
        /// Members by name.
        case object
    }

    let raw: gw_json_element

    /// What this is.
    public var kind: Kind {
        switch gw_json_kind_of(raw) {
        case GW_JSON_NULL: .null
        case GW_JSON_BOOL: .bool
        case GW_JSON_STRING: .string
        case GW_JSON_ARRAY: .array
        case GW_JSON_OBJECT: .object
        default: .number
        }
    }

    /// Whether this is `null`.
    public var isNull: Bool { gw_json_kind_of(raw) == GW_JSON_NULL }

    /// The member `key`; `nil` where there is none, where it is `null`, and where this is no object.
    public subscript(key: StaticString) -> JSONElement? {
        key.withUTF8Buffer { buffer in member(UnsafeRawBufferPointer(buffer)) }
    }

    /// The member `key`; `nil` where there is none, where it is `null`, and where this is no object.
    public subscript(name key: String) -> JSONElement? {
        var key = key
        return key.withUTF8 { member(UnsafeRawBufferPointer($0)) }
    }

    private func member(_ key: UnsafeRawBufferPointer) -> JSONElement? {
        var value = gw_json_element()
        let name = key.baseAddress?.assumingMemoryBound(to: CChar.self)
        guard gw_json_member(raw, name, key.count, &value) else { return nil }
        let element = JSONElement(raw: value)
        return element.isNull ? nil : element
    }

    /// The text; `nil` for anything but a string.
    public var string: String? {
        guard gw_json_kind_of(raw) == GW_JSON_STRING else { return nil }
        var length = 0
        guard let bytes = gw_json_string(raw, &length) else { return nil }
        // simdjson has checked the encoding; this never repairs anything.
        return String(
            decoding: UnsafeRawBufferPointer(start: bytes, count: length), as: UTF8.self)
    }

    /// The text; `nil` for an empty one, as for anything but a string.
    public var nonEmptyString: String? {
        guard gw_json_kind_of(raw) == GW_JSON_STRING else { return nil }
        var length = 0
        _ = gw_json_string(raw, &length)
        return length > 0 ? string : nil
    }

    /// The whole number; a double counts where it is whole.
    public var int: Int? {
        switch gw_json_kind_of(raw) {
        case GW_JSON_INT: return Int(gw_json_int(raw))
        case GW_JSON_UINT: return Int(exactly: gw_json_uint(raw))
        case GW_JSON_DOUBLE: return Int(exactly: gw_json_double(raw))
        default: return nil
        }
    }

    /// The number.
    public var double: Double? { kind == .number ? gw_json_double(raw) : nil }

    /// The truth value.
    public var bool: Bool? { gw_json_kind_of(raw) == GW_JSON_BOOL ? gw_json_bool(raw) : nil }

    /// How many elements or members.
    public var count: Int { gw_json_count(raw) }

    /// The first element of an array.
    public var first: JSONElement? {
        var iterator = elements
        return iterator.next()
    }

    /// The elements of an array, or the values of an object; empty for anything else.
    public var elements: Elements { Elements(raw) }

    /// Walks an array.
    public struct Elements: Sequence, IteratorProtocol {
        private var iterator = gw_json_iterator()

        init(_ raw: gw_json_element) {
            if !gw_json_begin(raw, &iterator) { iterator = gw_json_iterator() }
        }

        /// The next element.
        public mutating func next() -> JSONElement? {
            var value = gw_json_element()
            var key: UnsafePointer<CChar>?
            var length = 0
            return gw_json_next(&iterator, &value, &key, &length) ? JSONElement(raw: value) : nil
        }
    }

    /// Calls `body` with each member of an object, in the text's order.
    public func forEachMember(_ body: (String, JSONElement) -> Void) {
        var iterator = gw_json_iterator()
        guard kind == .object, gw_json_begin(raw, &iterator) else { return }
        var value = gw_json_element()
        var key: UnsafePointer<CChar>?
        var length = 0
        while gw_json_next(&iterator, &value, &key, &length) {
            body(
                String(decoding: UnsafeRawBufferPointer(start: key, count: length), as: UTF8.self),
                JSONElement(raw: value))
        }
    }

    /// This value as minified JSON text.
    public var text: String {
        var result = ""
        withUnsafeMutablePointer(to: &result) { pointer in
            gw_json_text(raw, pointer) { context, text, length in
                context?.assumingMemoryBound(to: String.self).pointee = String(
                    decoding: UnsafeRawBufferPointer(start: text, count: length), as: UTF8.self)
            }
        }
        return result
    }
}
