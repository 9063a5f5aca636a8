internal import CCurl
internal import Glibc

/// Dates in HTTP headers (RFC 9110, section 5.6.7).
package enum HTTPDate {
    /// Seconds from now until the date, 0 for a date in the past; `nil` if `text` is not a date.
    package static func secondsFromNow(_ text: String) -> Double? {
        let date = curl_getdate(text, nil)
        guard date >= 0 else { return nil }
        return max(0, Double(date - time(nil)))
    }
}
