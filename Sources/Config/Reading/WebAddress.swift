/// `http` and `https` URLs, as far as a configuration needs them (RFC 3986 §3).
public enum WebAddress {
    /// The address without `/` at its end, so that a path can be appended: `https://host/v1//` becomes `https://host/v1`.
    public static func withoutSlash(_ text: String) -> String {
        var text = text
        while text.hasSuffix("/") { text.removeLast() }
        return text
    }

    /// What is wrong with a URL.
    enum Mistake: Equatable {
        /// It begins with neither `http://` nor `https://`.
        case notWeb
        /// It holds a user name or password.
        case userInfo
        /// Another error, with a text that does not quote the URL.
        case other(String)
    }

    /// The first error in `text`, or `nil`.
    static func mistake(in text: String) -> Mistake? {
        let scheme = text.prefix(8).lowercased()
        guard scheme == "https://" || scheme.hasPrefix("http://") else { return .notWeb }
        let rest = text.dropFirst(scheme == "https://" ? 8 : 7)
        guard rest.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "\\") }) else {
            return .other("it contains a space, a control character or a backslash")
        }
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.contains("@") else { return .userInfo }
        guard !rest.contains("#") else { return .other("it has a fragment ('#…')") }
        return authorityMistake(authority)
    }

    private static func authorityMistake(_ authority: Substring) -> Mistake? {
        let host: Substring
        let port: Substring?
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return .other("'[' without a matching ']'") }
            host = authority[authority.index(after: authority.startIndex)..<end]
            let after = authority[authority.index(after: end)...]
            guard after.isEmpty || after.hasPrefix(":") else { return .other("unexpected text after ']'") }
            port = after.isEmpty ? nil : after.dropFirst()
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            port = authority[authority.index(after: colon)...]
        } else {
            (host, port) = (authority, nil)
        }
        guard !host.isEmpty else { return .other("the host is missing") }
        if let port {
            guard let number = UInt16(port), number > 0 else { return .other("the port must be from 1 to 65535") }
        }
        return nil
    }
}
