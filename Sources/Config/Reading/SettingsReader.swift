internal import Glibc

/// The readers of the sections that have no references to others.
extension Cursor {
    func server() -> ServerConfiguration {
        var server = ServerConfiguration()
        let keys = [
            "listen", "admin", "loops", "drain_timeout", "token", "tokens", "allow_uids", "allow_gids",
            "allow_model_paths",
        ]
        guard let section = section(keys: keys) else { return server }
        server.admin = section["admin"]?.hostAndPort()
        server.loops = section["loops"]?.integer(in: 1...256)
        server.drainTimeout = section["drain_timeout"]?.number(in: 0...86400) ?? server.drainTimeout
        if let token = section["token"]?.token() { server.tokens.append((name: Self.singleTokenName, token: token)) }
        for (name, token) in section["tokens"]?.tokens() ?? [] {
            if section["token"] != nil, name == Self.singleTokenName {
                section["tokens"]?.report("'\(name)' is the name of 'server.token'; choose another")
            }
            server.tokens.append((name: name, token: token))
        }
        server.allowedUsers = section["allow_uids"]?.accounts("user") { name in getpwnam(name)?.pointee.pw_uid }
        server.allowedGroups = section["allow_gids"]?.accounts("group") { name in getgrnam(name)?.pointee.gr_gid } ?? []
        server.allowModelPaths = section["allow_model_paths"]?.boolean() ?? server.allowModelPaths
        let hasToken = section["token"] != nil || section["tokens"] != nil
        if let listen = section["listen"] {
            let found = listen.listenAddresses(hasToken: hasToken, admin: server.admin)
            server.listen = found.map(\.address)
            server.listenPlaces = found.map { (line: $0.cursor.node.line, key: $0.cursor.path) }
        }
        return server
    }

    private func listenAddresses(hasToken: Bool, admin: String?) -> [(address: String, cursor: Cursor)] {
        var items = [self]
        if case .sequence = node.value { items = self.items(of: "addresses") ?? [] }
        if items.count > 64 { report("more than 64 addresses") }
        var addresses: [(address: String, cursor: Cursor)] = []
        for item in items.prefix(64) {
            guard let address = item.text() else { continue }
            if let mistake = ListenAddress.mistake(in: address) {
                item.report(mistake)
            } else if addresses.contains(where: { $0.address == address }) {
                item.report("this address is here twice")
            } else if address == admin.map({ "tcp:\($0)" }), !address.hasSuffix(":0") {
                item.report("this is the address of 'server.admin' too")
            } else if !hasToken, !ListenAddress.isLocal(address) {
                item.report(
                    "other machines reach this address; set 'server.tokens', or listen on a loopback address "
                        + "such as 127.0.0.1")
            }
            addresses.append((address, item))
        }
        return addresses
    }

    /// Tokens by their names.
    private func tokens() -> [(name: String, token: Secret)] {
        guard case .mapping(let entries) = node.value, !entries.isEmpty else {
            reportExpected("a map of names to tokens")
            return []
        }
        return entries.compactMap { entry in
            let isGood = !entry.key.isEmpty && entry.key.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
            let cursor = Cursor(node: entry.value, path: Path.appending(entry.key, to: path), reading: reading)
            guard isGood else {
                cursor.report("a token's name is printable ASCII without spaces")
                return nil
            }
            return cursor.token().map { (name: entry.key, token: $0) }
        }
    }

    /// The name in logs and accounts of the one token that `server.token` gives.
    private static let singleTokenName = "default"
    /// The shortest token, in bytes: 16 of even the poorest alphabet are beyond guessing.
    private static let shortestToken = 16

    /// A caller's token.
    private func token() -> Secret? {
        guard let token = secret() else { return nil }
        guard token.count >= Self.shortestToken else {
            report("a token has at least \(Self.shortestToken) characters; make one with: openssl rand -hex 32")
            return nil
        }
        return token
    }

    /// Users or groups, by number or name.
    private func accounts(_ kind: String, _ find: (String) -> UInt32?) -> [UInt32] {
        var entries = [self]
        if case .sequence = node.value { entries = items(of: "\(kind) ids or names") ?? [] }
        return entries.compactMap { entry in
            guard let text = entry.text() else { return nil }
            if let number = UInt32(text) { return number }
            if let number = find(text) { return number }
            entry.report("there is no \(kind) '\(Path.printable(text, limit: 40))' here")
            return nil
        }
    }

    private func hostAndPort() -> String? {
        let expected = "HOST:PORT, for example 127.0.0.1:7412"
        guard let value = expanded(expected: expected) else { return nil }
        let text = value.text.hasPrefix("tcp:") ? String(value.text.dropFirst(4)) : value.text
        guard ListenAddress.hostAndPort(text[...]) != nil else {
            reportExpected(expected, value)
            return nil
        }
        return text
    }

    /// `timeouts` over the values of `base`.
    func timeouts(over base: TimeoutsConfiguration) -> TimeoutsConfiguration {
        guard let section = section(keys: ["connect", "first_token", "idle", "total"]) else { return base }
        func seconds(_ key: String) -> Double? {
            section[key]?.number(in: 0...86400, excludingLowerBound: true)
        }
        var timeouts = base
        timeouts.connect = seconds("connect") ?? base.connect
        timeouts.firstToken = seconds("first_token") ?? base.firstToken
        timeouts.idle = seconds("idle") ?? base.idle
        timeouts.total = seconds("total") ?? base.total
        return timeouts
    }

    /// `retry` over the values of `base`.
    func retry(over base: RetryConfiguration) -> RetryConfiguration {
        let keys = ["max_attempts", "initial_backoff", "max_backoff", "max_retry_after"]
        guard let section = section(keys: keys) else { return base }
        var retry = base
        retry.maxAttempts = section[keys[0]]?.integer(in: 1...100) ?? base.maxAttempts
        let initialBackoff = section[keys[1]]?.number(in: 0...86400)
        retry.maxBackoff = section[keys[2]]?.number(in: 0...86400) ?? base.maxBackoff
        if let initialBackoff, initialBackoff > retry.maxBackoff {
            section[keys[1]]?.report("is above 'max_backoff'; lower it, or raise 'max_backoff' too")
        }
        // A lower 'max_backoff' alone bounds a first pause that nobody wrote here.
        retry.initialBackoff = min(initialBackoff ?? base.initialBackoff, retry.maxBackoff)
        retry.maxRetryAfter = section[keys[3]]?.number(in: 0...86400) ?? base.maxRetryAfter
        return retry
    }

    func tls() -> TLSConfiguration {
        var tls = TLSConfiguration()
        guard let section = section(keys: ["ca_file", "insecure_skip_verify"]) else { return tls }
        tls.caFile = section["ca_file"]?.certificateFile()
        tls.insecureSkipVerify = section["insecure_skip_verify"]?.boolean() ?? false
        return tls
    }

    func log() -> LogConfiguration {
        var log = LogConfiguration()
        guard let section = section(keys: ["level", "format"]) else { return log }
        log.level = section["level"]?.choice(LogConfiguration.Level.self) ?? log.level
        log.format = section["format"]?.choice(LogConfiguration.Format.self) ?? log.format
        return log
    }

    /// A generator; `nil` where it is unclear which model it wants.
    func generator(name: String) -> GeneratorConfiguration? {
        guard let section = section(keys: ["model", "template", "max_context_tokens", "system"]) else { return nil }
        var generator = GeneratorConfiguration(name: name)
        generator.template = section["template"]?.text()
        generator.maxContextTokens = section["max_context_tokens"]?.integer(in: 1...100_000_000)
        generator.system = section["system"]?.text()
        guard let model = section["model"] else { return generator }
        guard let target = model.text() else { return nil }
        generator.model = target
        return generator
    }
}
