internal import CCurl
internal import Glibc

/// Dates in HTTP headers (RFC 9110, section 5.6.7).
public enum HTTPDate {
    /// How many seconds from now the date is, 0 for one in the past; `nil` where the text is no date.
    public static func secondsFromNow(_ text: String) -> Double? {
        let date = curl_getdate(text, nil)
        guard date >= 0 else { return nil }
        return max(0, Double(date - time(nil)))
    }
}
