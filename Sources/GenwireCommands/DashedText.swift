/// Text on the command line that begins with a dash, such as the prompt "- hello".
///
/// The argument parser reads it as a group of short options, and an `h` in it as a call for help. So words that begin
/// with a dash and cannot be options are marked before the parser sees them, and every option and argument of text
/// takes the mark off again with `plain`.
enum DashedText {
    /// No word of a command line holds a NUL.
    private static let mark: Character = "\0"
    /// The short options of all subcommands.
    private static let shortOptions = ["-h", "-m"]

    /// The words for the parser. What follows `--` is text anyway.
    static func marked(_ words: [String]) -> [String] {
        let end = words.firstIndex(of: "--") ?? words.endIndex
        return words[..<end].map { isText($0) ? String(mark) + $0 : $0 } + words[end...]
    }

    /// The word as it was written.
    static func plain(_ word: String) -> String { word.first == mark ? String(word.dropFirst()) : word }

    /// A message of the parser that may quote marked words.
    static func unmarked(_ message: String) -> String { message.filter { $0 != mark } }

    private static func isText(_ word: String) -> Bool {
        guard word.hasPrefix("-"), word != "-" else { return false }
        let name = word.prefix { $0 != "=" }
        return word.hasPrefix("--") ? name.contains(where: \.isWhitespace) : !shortOptions.contains(String(name))
    }
}
