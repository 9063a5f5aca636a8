/// Replaces `${NAME}` and `${NAME:-default}` by values of the environment; `$$` stands for `$`. A default is plain
/// text: it holds no other variable and no brace.
enum Interpolation {
    /// The result of an expansion.
    struct Outcome: Equatable {
        /// The text with its variables replaced.
        var text: String
        /// The names of its variables, in order. If there are any, the text must not be shown.
        var variables: [String] = []
        /// Whether every variable has a default; an empty text then counts as an absent value.
        var hasDefaults = true
    }

    /// Why a text cannot be used.
    enum Failure: Error, Equatable {
        /// A variable without default is not set.
        case missing(String)
        /// The syntax is invalid, as the message describes.
        case malformed(String)
    }

    /// Expands `text`. As in a shell, `:-` gives the default for a variable that is unset or empty, and `${NAME}` may
    /// be empty. A `$` before anything but `{` or `$` stays.
    static func expand(_ text: String, environment: [String: String]) throws(Failure) -> Outcome {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return Outcome(text: text) }
        var out = Outcome(text: "")
        var rest = text.unicodeScalars[...]
        while let dollar = rest.firstIndex(of: "$") {
            out.text.unicodeScalars += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            switch rest.first {
            case "$":
                out.text += "$"
                rest.removeFirst()
            case "{":
                rest.removeFirst()
                guard let end = rest.firstIndex(of: "}") else {
                    throw .malformed("'${' without a matching '}'; write '$$' for a literal '$'")
                }
                let body = String(String.UnicodeScalarView(rest[..<end]))
                // Else the first '}' would end the outer variable, and the rest would stay as text.
                guard !body.utf8.contains(UInt8(ascii: "{")) else {
                    throw .malformed("a default in '${NAME:-default}' cannot contain another '${…}' or a '{'")
                }
                let (name, value, hasDefault) = try variable(body, environment)
                out.variables.append(name)
                out.hasDefaults = out.hasDefaults && hasDefault
                out.text += value
                rest = rest[rest.index(after: end)...]
            default:
                out.text += "$"
            }
        }
        out.text.unicodeScalars += rest
        return out
    }

    private static func variable(
        _ body: String, _ environment: [String: String]
    ) throws(Failure) -> (name: String, value: String, hasDefault: Bool) {
        var name = Substring(body)
        var fallback: Substring?
        if let colon = body.firstIndex(of: ":"), body[colon...].hasPrefix(":-") {
            name = body[..<colon]
            fallback = body[colon...].dropFirst(2)
        }
        let isName =
            name.utf8.first.map { $0.isNameStart } == true && name.utf8.allSatisfy { $0.isNameStart || $0.isDigit }
        guard isName else {
            throw .malformed("'${…}' must contain the name of a variable; write '$$' for a literal '$'")
        }
        let value = environment[String(name)]
        if let fallback, value?.isEmpty != false { return (String(name), String(fallback), true) }
        guard let value else { throw .missing(String(name)) }
        return (String(name), value, fallback != nil)
    }
}

extension UInt8 {
    fileprivate var isNameStart: Bool {
        self == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20)
    }
    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}
