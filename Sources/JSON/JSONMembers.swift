/// Splits an object's text into its members without parsing the values, to copy most of them unchanged.
package enum JSONMembers {
    /// Calls `body` with the key and the value's text of each member, in order. `text` must be well-formed JSON; does
    /// nothing if it is not an object.
    package static func forEach(
        of text: UnsafeBufferPointer<UInt8>, _ body: (String, UnsafeBufferPointer<UInt8>) -> Void
    ) {
        scan(text) { key, rest in
            let length = lengthOfValue(rest)
            body(key, UnsafeBufferPointer(rebasing: rest[..<length]))
            return length
        }
    }

    /// Calls `body` with the key of each member and the text from its value on, in order; it returns the value's length.
    /// So nested objects can be read in one pass. `text` must begin with well-formed JSON.
    /// - Returns: the length of the value that `text` begins with, in bytes.
    @discardableResult
    package static func scan(
        _ text: UnsafeBufferPointer<UInt8>, _ body: (String, UnsafeBufferPointer<UInt8>) -> Int
    ) -> Int {
        var index = skipSpace(text, 0)
        guard index < text.count, text[index] == UInt8(ascii: "{") else { return lengthOfValue(text) }
        index = skipSpace(text, index + 1)
        while index < text.count, text[index] == UInt8(ascii: "\"") {
            let keyEnd = endOfString(text, index)
            let key = key(UnsafeBufferPointer(rebasing: text[index..<keyEnd]))
            let colon = skipSpace(text, keyEnd)
            let start = skipSpace(text, min(colon + 1, text.count))
            let length = body(key, UnsafeBufferPointer(rebasing: text[start...]))
            index = skipSpace(text, start + length)
            guard index < text.count, text[index] == UInt8(ascii: ",") else { break }
            index = skipSpace(text, index + 1)
        }
        // After the closing brace.
        return min(index + 1, text.count)
    }

    /// The length of the value that `text` begins with, without the space after it.
    package static func lengthOfValue(_ text: UnsafeBufferPointer<UInt8>) -> Int {
        var end = endOfValue(text, 0)
        while end > 0, isSpace(text[end - 1]) { end -= 1 }
        return end
    }

    private static func key(_ quoted: UnsafeBufferPointer<UInt8>) -> String {
        let inner = quoted.dropFirst().dropLast()
        guard inner.contains(UInt8(ascii: "\\")) else { return String(decoding: inner, as: UTF8.self) }
        return (try? JSONValue(parsing: Array(quoted)))?.string ?? String(decoding: inner, as: UTF8.self)
    }

    /// The index after the string literal at `start`.
    private static func endOfString(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int {
        var index = start + 1
        while index < text.count {
            if text[index] == UInt8(ascii: "\"") { return index + 1 }
            index += text[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return text.count
    }

    /// The index of the comma or brace after the value at `start`.
    private static func endOfValue(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int {
        var depth = 0
        var index = start
        while index < text.count {
            switch text[index] {
            case UInt8(ascii: "\""):
                index = endOfString(text, index)
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return index }
                depth -= 1
            case UInt8(ascii: ","): if depth == 0 { return index }
            default: break
            }
            index += 1
        }
        return text.count
    }

    private static func skipSpace(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int {
        var index = start
        while index < text.count, isSpace(text[index]) { index += 1 }
        return index
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }
}
