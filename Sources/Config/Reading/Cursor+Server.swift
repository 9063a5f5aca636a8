/// Readers for values that only the `server` section has.
extension Cursor {
    /// Listen addresses in file order, each with its place in the file.
    func listenAddresses() -> [(address: String, cursor: Cursor)] {
        var items = [self]
        if case .sequence = node.value { items = self.items(of: "addresses") ?? [] }
        if items.count > 64 { report("more than 64 addresses") }
        var addresses: [(address: String, cursor: Cursor)] = []
        for item in items.prefix(64) {
            guard let address = item.text() else { continue }
            if let mistake = ListenAddress.mistake(in: address) {
                item.report(mistake)
            } else if addresses.contains(where: { $0.address == address }) {
                item.report("duplicate address")
            }
            addresses.append((address, item))
        }
        return addresses
    }

    /// Tokens by their names.
    func tokens() -> [(name: String, token: Secret)] {
        guard case .mapping(let entries) = node.value, !entries.isEmpty else {
            reportExpected("a map of names to tokens")
            return []
        }
        return entries.compactMap { entry in
            let isGood = !entry.key.isEmpty && entry.key.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
            let cursor = Cursor(node: entry.value, path: Path.appending(entry.key, to: path), reading: reading)
            guard isGood else {
                cursor.report("a token's name must be printable ASCII without spaces")
                return nil
            }
            return cursor.token().map { (name: entry.key, token: $0) }
        }
    }

    /// The minimum length of a token, in bytes: 16 are infeasible to guess even from a small alphabet.
    private static let shortestToken = 16

    /// A caller's token.
    func token() -> Secret? {
        guard let token = secret() else { return nil }
        guard token.count >= Self.shortestToken else {
            report(
                "a token must have at least \(Self.shortestToken) characters; generate one with: openssl rand -hex 32")
            return nil
        }
        return token
    }

    /// Users or groups, by number or name.
    func accounts(_ kind: String, _ find: (String) -> UInt32?) -> [UInt32] {
        var entries = [self]
        if case .sequence = node.value { entries = items(of: "\(kind) ids or names") ?? [] }
        return entries.compactMap { entry in
            guard let text = entry.text() else { return nil }
            if let number = UInt32(text) { return number }
            if let number = find(text) { return number }
            entry.report("unknown \(kind) '\(Path.printable(text, limit: 40))'")
            return nil
        }
    }

    /// `HOST:PORT`, with or without `tcp:` before it.
    func hostAndPort() -> String? {
        let expected = "HOST:PORT, for example 127.0.0.1:7412"
        guard let value = expanded(expected: expected) else { return nil }
        let text = value.text.hasPrefix("tcp:") ? String(value.text.dropFirst(4)) : value.text
        guard ListenAddress.hostAndPort(text[...]) != nil else {
            reportExpected(expected, value)
            return nil
        }
        return text
    }
}
