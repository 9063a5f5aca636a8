internal import Glibc

/// A calendar day, in UTC.
package struct Day: Sendable, Equatable {
    /// Days since 1 January 1970.
    package let number: Int

    /// Creates a day from the number of days since 1 January 1970.
    package init(number: Int) { self.number = number }

    /// Parses `YYYY-MM-DD`; `nil` for any other text or a day that does not exist.
    package init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [4, 2, 2], parts.allSatisfy({ $0.utf8.allSatisfy { 0x30...0x39 ~= $0 } }),
            let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]),
            (1...12).contains(month), (1...31).contains(day), year > 0
        else { return nil }
        var time = tm()
        time.tm_year = Int32(year - 1900)
        time.tm_mon = Int32(month - 1)
        time.tm_mday = Int32(day)
        number = timegm(&time) / 86400
        // timegm accepts 31 February as a day in March.
        guard time.tm_mon == month - 1 else { return nil }
    }

    /// The current day.
    package static var today: Day { Day(number: time(nil) / 86400) }
}
