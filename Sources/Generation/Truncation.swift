extension String {
    /// This text where it has at most `limit` UTF-8 bytes, else its beginning with `…` after it: for names and words of
    /// others in errors and logs. Cuts between scalars and costs no more than the beginning.
    package func truncated(toBytes limit: Int) -> String {
        guard let end = utf8.index(startIndex, offsetBy: limit, limitedBy: endIndex), end < endIndex else {
            return self
        }
        return String(unicodeScalars[..<end]) + "…"
    }
}
