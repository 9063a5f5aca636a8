/// Tracks the brackets and strings of a JSON text that may arrive in pieces, without storing or validating it.
struct JSONBalance {
    /// The number of open brackets; negative if more were closed than opened.
    private(set) var depth = 0
    /// The largest depth so far.
    private(set) var deepest = 0
    /// An upper bound for the number of values.
    private(set) var values = 1
    private var hasBrackets = false
    private var isInText = false
    private var isEscaped = false

    /// Whether at least one bracket was opened and all are closed; `false` for a truncated object.
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

    /// Ends a string that is still open: strings do not continue across lines.
    mutating func endLine() {
        isInText = false
        isEscaped = false
    }
}
