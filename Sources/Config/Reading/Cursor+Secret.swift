extension Cursor {
    /// A secret, fetched: text, `{file: PATH}` or `{command: [PROGRAM, …]}`.
    /// - Parameter isHeader: whether the secret is sent in an HTTP header, so that control characters are rejected.
    func secret(isHeader: Bool = true) -> Secret? {
        guard let source = secretSource() else { return nil }
        let secret: Secret
        do {
            secret = try source.resolve(environment: reading.environment, scope: reading.commands)
        } catch {
            report(error.description)
            return nil
        }
        let hasControl = secret.withUnsafeBytes { $0.contains { $0 < 0x20 || $0 == 0x7f } }
        guard !isHeader || !hasControl else {
            report("contains a line break or another control character")
            return nil
        }
        return secret
    }

    private func secretSource() -> SecretSource? {
        var hidden = self
        hidden.isSecret = true
        let expected = "text, {file: PATH} or {command: [PROGRAM, ARGUMENT, …]}"
        switch node.value {
        case .scalar:
            guard let value = hidden.expanded(expected: expected) else { return nil }
            guard !value.text.isEmpty else {
                report("is empty")
                return nil
            }
            return .value(Secret(value.text))
        case .mapping(let entries):
            // Unknown keys are not named: a secret in braces by mistake looks like one.
            guard entries.count == 1, let entry = entries.first else { break }
            let inner = Cursor(
                node: entry.value, path: Path.appending(entry.key, to: path), reading: reading, isSecret: true)
            if entry.key == "file" { return inner.text().map { .file(path: $0) } }
            if entry.key == "command" { return inner.command().map { .command($0) } }
        case .sequence: break
        }
        hidden.report("expected \(expected)")
        return nil
    }

    /// A program with its arguments.
    func command() -> [String]? {
        guard let items = items(of: "text: [PROGRAM, ARGUMENT, …]") else { return nil }
        guard !items.isEmpty else {
            report("expected a list of text: [PROGRAM, ARGUMENT, …], found an empty list")
            return nil
        }
        // An argument may be empty, a program not.
        let texts = items.enumerated().compactMap { $0 == 0 ? $1.text() : $1.expanded(expected: "text")?.text }
        return texts.count == items.count ? texts : nil
    }
}
