/// The syntax of listen addresses: `unix:PATH` and `tcp:HOST:PORT`.
enum ListenAddress {
    /// The longest path of a Unix socket, in bytes (`sockaddr_un`).
    static let maximumPathLength = 107

    /// What is wrong with `text`, or `nil`.
    static func mistake(in text: String) -> String? {
        if text.hasPrefix("unix:") {
            let path = text.dropFirst(5).utf8
            if path.isEmpty { return "the path after 'unix:' is missing" }
            if path.count > maximumPathLength {
                return "the path has \(path.count) bytes; the limit for Unix sockets is \(maximumPathLength)"
            }
            return path.contains { $0 < 0x20 } ? "the path contains a control character" : nil
        }
        guard text.hasPrefix("tcp:") else { return "expected unix:PATH or tcp:HOST:PORT" }
        return hostAndPort(text.dropFirst(4)) == nil
            ? "expected tcp:HOST:PORT with a port from 0 to 65535, an IPv6 host in brackets" : nil
    }

    /// Splits `HOST:PORT` and removes the brackets of an IPv6 host; `nil` if the text does not have that form.
    static func hostAndPort(_ text: Substring) -> (host: Substring, port: UInt16)? {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let port = UInt16(digits)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard host.contains(":") else { return nil }
        } else if host.contains(where: { ":[]".contains($0) }) {
            return nil
        }
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") }) else {
            return nil
        }
        return (host, port)
    }

    /// Whether only this machine can reach the address.
    static func isLocal(_ text: String) -> Bool {
        guard text.hasPrefix("tcp:"), let (host, _) = hostAndPort(text.dropFirst(4)) else { return true }
        return host == "localhost" || host == "::1" || isLoopbackIPv4(host)
    }

    private static func isLoopbackIPv4(_ host: Substring) -> Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
