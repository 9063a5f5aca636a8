extension String {
    /// This string if it has at most `limit` UTF-8 bytes, else its beginning followed by `…`. For foreign text in
    /// errors and logs. Cuts between scalars; takes time in proportion to `limit`.
    package func truncated(toBytes limit: Int) -> String {
        guard let end = utf8.index(startIndex, offsetBy: limit, limitedBy: endIndex), end < endIndex else {
            return self
        }
        return String(unicodeScalars[..<end]) + "…"
    }
}
