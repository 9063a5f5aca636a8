/// Dotted key paths and text from the file, made fit for one line of an error.
enum Path {
    /// The path of `key` inside `path`.
    static func appending(_ key: String, to path: String) -> String {
        let shown = printable(key, limit: 64)
        return path.isEmpty ? shown : "\(path).\(shown)"
    }

    /// `text` cut to `limit` characters, with control characters as `?`: a file may hold anything, a terminal shows it.
    static func printable(_ text: String, limit: Int) -> String {
        var out = ""
        var count = 0
        for scalar in text.unicodeScalars {
            if count == limit { return out + "…" }
            count += 1
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: out += "?"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
