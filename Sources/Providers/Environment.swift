internal import Config
internal import Glibc

/// The variables of the environment that vendors' own programs read.
enum Environment {
    /// The value of a variable; `nil` where it is unset or empty.
    static func value(_ name: String) -> String? {
        guard let text = getenv(name), text.pointee != 0 else { return nil }
        return String(cString: text)
    }

    /// The value of the first variable that has one.
    static func first(_ names: [String]) -> String? {
        for name in names {
            if let value = value(name) { return value }
        }
        return nil
    }

    /// The value of a variable that holds an address, without `/` at its end.
    static func url(_ name: String) -> String? {
        value(name).map(WebAddress.withoutSlash)
    }
}
