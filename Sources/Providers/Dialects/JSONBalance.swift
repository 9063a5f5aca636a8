/// Follows the brackets and texts of a JSON text that may come in pieces, without keeping or checking it.
struct JSONBalance {
    /// How many brackets are open; negative if more were closed.
    private(set) var depth = 0
    /// The largest depth so far.
    private(set) var deepest = 0
    /// How many values there are at most.
    private(set) var values = 1
    private var hasBrackets = false
    private var isInText = false
    private var isEscaped = false

    /// Whether all that was opened is closed again, and something was: the text of an object that was cut off is not.
    var isWhole: Bool { hasBrackets && depth == 0 && !isInText }

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes {
            if isEscaped {
                isEscaped = false
            } else if isInText {
                isEscaped = byte == UInt8(ascii: "\\")
                isInText = byte != UInt8(ascii: "\"")
            } else {
                switch byte {
                case UInt8(ascii: "\""): isInText = true
                case UInt8(ascii: ","): values += 1
                case UInt8(ascii: "{"), UInt8(ascii: "["):
                    hasBrackets = true
                    values += 1
                    depth += 1
                    deepest = max(deepest, depth)
                case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
                default: break
                }
            }
        }
    }

    mutating func add(_ text: String) {
        var text = text
        text.withUTF8 { add(UnsafeRawBufferPointer($0)) }
    }

    /// Ends a text that is still open: none goes over the end of a line.
    mutating func endLine() {
        isInText = false
        isEscaped = false
    }
}
