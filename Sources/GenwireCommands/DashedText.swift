/// Text on the command line that begins with a dash, for example the prompt "- hello".
///
/// The argument parser treats it as a group of short options, and an `h` in it as a request for help. Therefore,
/// arguments that begin with a dash and cannot be options are marked before parsing, and every option and argument of
/// type text removes the mark with `plain`.
enum DashedText {
    /// Cannot occur in a command line.
    private static let mark: Character = "\0"
    /// The short options of all subcommands.
    private static let shortOptions = ["-h", "-m"]

    /// Marks the arguments for the parser, except those after `--`, which it treats as text anyway.
    static func marked(_ words: [String]) -> [String] {
        let end = words.firstIndex(of: "--") ?? words.endIndex
        return words[..<end].map { isText($0) ? String(mark) + $0 : $0 } + words[end...]
    }

    /// The argument without the mark.
    static func plain(_ word: String) -> String { word.first == mark ? String(word.dropFirst()) : word }

    /// Removes the marks from a message of the parser, which may quote marked arguments.
    static func unmarked(_ message: String) -> String { message.filter { $0 != mark } }

    private static func isText(_ word: String) -> Bool {
        guard word.hasPrefix("-"), word != "-" else { return false }
        let name = word.prefix { $0 != "=" }
        return word.hasPrefix("--") ? name.contains(where: \.isWhitespace) : !shortOptions.contains(String(name))
    }
}
