internal import CSimdJSON

/// A value in a parsed document; two machine words in size. Invalid after the next `parse` of its parser, and after the
/// parser is released.
package struct JSONElement {
    /// The type of a JSON value.
    package enum Kind: Sendable {
        /// `null`.
        case null
        /// `true` or `false`.
        case bool
        /// A number, with or without a fraction.
        case number
        /// A string.
        case string
        /// An array.
        case array
        /// An object.
        case object
    }

    let raw: gw_json_element

    /// The type of this value.
    package var kind: Kind {
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
    package var isNull: Bool { gw_json_kind_of(raw) == GW_JSON_NULL }

    /// The member `key`; `nil` if it is absent or `null`, or if this is not an object.
    package subscript(key: StaticString) -> JSONElement? {
        key.withUTF8Buffer { buffer in member(UnsafeRawBufferPointer(buffer)) }
    }

    /// The member `key`, for keys that are not literals; `nil` if it is absent or `null`, or if this is not an object.
    package subscript(name key: String) -> JSONElement? {
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

    /// The string; `nil` for other types.
    package var string: String? {
        guard gw_json_kind_of(raw) == GW_JSON_STRING else { return nil }
        var length = 0
        guard let bytes = gw_json_string(raw, &length) else { return nil }
        // simdjson has validated the encoding, so decoding never replaces bytes.
        return String(
            decoding: UnsafeRawBufferPointer(start: bytes, count: length), as: UTF8.self)
    }

    /// The string; `nil` if it is empty and for other types.
    package var nonEmptyString: String? {
        guard gw_json_kind_of(raw) == GW_JSON_STRING else { return nil }
        var length = 0
        _ = gw_json_string(raw, &length)
        return length > 0 ? string : nil
    }

    /// The integer, also for a number such as `1.0`; `nil` for fractions, other types and numbers out of range.
    package var int: Int? {
        switch gw_json_kind_of(raw) {
        case GW_JSON_INT: return Int(gw_json_int(raw))
        case GW_JSON_UINT: return Int(exactly: gw_json_uint(raw))
        case GW_JSON_DOUBLE: return Int(exactly: gw_json_double(raw))
        default: return nil
        }
    }

    /// The number as a double; `nil` for other types.
    package var double: Double? { kind == .number ? gw_json_double(raw) : nil }

    /// The Boolean; `nil` for other types.
    package var bool: Bool? { gw_json_kind_of(raw) == GW_JSON_BOOL ? gw_json_bool(raw) : nil }

    /// The number of elements or members; 0 for other types.
    package var count: Int { gw_json_count(raw) }

    /// The first element of an array, or the first value of an object.
    package var first: JSONElement? {
        var iterator = elements
        return iterator.next()
    }

    /// The elements of an array, or the values of an object; empty for anything else.
    package var elements: Elements { Elements(raw) }

    /// Iterates over an array's elements or an object's values.
    package struct Elements: Sequence, IteratorProtocol {
        private var iterator = gw_json_iterator()

        init(_ raw: gw_json_element) {
            if !gw_json_begin(raw, &iterator) { iterator = gw_json_iterator() }
        }

        /// The next element; `nil` at the end.
        package mutating func next() -> JSONElement? {
            var value = gw_json_element()
            var key: UnsafePointer<CChar>?
            var length = 0
            return gw_json_next(&iterator, &value, &key, &length) ? JSONElement(raw: value) : nil
        }
    }

    /// Calls `body` with each member of an object, in document order. Does nothing for other types.
    package func forEachMember(_ body: (String, JSONElement) -> Void) {
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
    package var text: String {
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
