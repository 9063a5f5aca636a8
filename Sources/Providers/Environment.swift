internal import Config
internal import Glibc

/// The environment variables that vendors' own tools read.
enum Environment {
    /// The value of a variable; `nil` if it is unset or empty.
    static func value(_ name: String) -> String? {
        guard let text = getenv(name), text.pointee != 0 else { return nil }
        return String(cString: text)
    }

    /// The value of the first variable that is set and not empty.
    static func first(_ names: [String]) -> String? {
        for name in names {
            if let value = value(name) { return value }
        }
        return nil
    }

    /// The value of a variable that holds a URL, without trailing slashes.
    static func url(_ name: String) -> String? {
        value(name).map(WebAddress.withoutSlash)
    }
}
