/// The reference of all keys in Markdown, made from their declarations.
package struct ConfigurationReference {
    private let providers: [ProviderKeys]

    /// The reference of files that may name these providers.
    package init(_ providers: [ProviderKeys]) { self.providers = providers }

    /// The text of `docs/configuration.md`.
    package var markdown: String {
        var text = Self.head
        for section in Configuration.sections {
            text += "\n## `\(section.name)`\n\(section.doc)\n"
            switch section.name {
            case Configuration.modelEntries.name: text += models
            case Configuration.authEntries.name: text += auth
            case Configuration.routeEntries.name: text += routes
            default: if !section.form.fields.isEmpty { text += "\n" + Self.table(section.form.fields) }
            }
        }
        return text
    }

    private static var head: String {
        """
        # Configuration

        All keys of `config.yaml`. This page is generated from the key declarations; to update it, run `genwired schema --markdown > docs/configuration.md`.

        `genwired check --config FILE` validates a file and reports every mistake with its line. `genwired schema` prints a JSON Schema (draft 2020-12) for completion and checks in editors; many of them find it by a first line such as `# yaml-language-server: $schema=genwire.schema.json`.

        - `${NAME}` and `${NAME:-default}` in a value are replaced by environment variables; `$$` is a literal `$`.
        - A **secret** is text, `{file: PATH}` or `{command: [PROGRAM, ARGUMENT, …]}`. Secrets are never printed or logged.
        - A file may have up to 1 MiB, 32 levels and 100,000 values. Anchors and aliases are supported, merge keys (`<<`) are not.
        - SIGHUP reloads the file. All changes take effect except those of \(restartKeys), which require a restart.

        """
    }

    private static var restartKeys: String {
        Configuration.startOnlyKeys.map { "`\($0)`" }.joined(separator: ", ")
    }

    // MARK: Models

    private var models: String {
        var text = """

            Each entry, and `generation` itself, is a map of these keys. A name must not begin with `PROVIDER/`.

            \(Self.table(ModelConfiguration.entryKeys(providers)))
            `config` has these keys for every provider:

            \(Self.table(ModelConfiguration.keys.map(\.info)))
            Each provider has additional keys:

            """
        for provider in providers where !provider.keys.isEmpty {
            text += "\n### `\(provider.name)`\n" + Self.table(provider.keys.map(\.info))
        }
        return text
    }

    private var routes: String {
        "\n" + Self.table(RouteConfiguration.keys.map(\.info)) + "\nA target may be a map of these keys:\n\n"
            + Self.table(RouteConfiguration.Target.keys.map(\.info))
    }

    // MARK: Credentials

    private var auth: String {
        var text = """

            Each entry is a map of `type`, the keys of that type, and the keys below. [`auth.md`](auth.md) describes how tokens are cached.

            \(Self.table(AuthConfiguration.keys.map(\.info)))
            """
        for type in AuthConfiguration.types {
            text += "\n### `type: \(type.kind.rawValue)`\n\(type.doc)\n\n" + Self.table(type.keys)
        }
        return text
    }

    // MARK: Tables

    private static func table(_ keys: [KeyInfo]) -> String {
        keys.reduce("| key | value | default | meaning |\n|---|---|---|---|\n") { $0 + row($1) }
    }

    private static func row(_ key: KeyInfo) -> String {
        let form = key.form
        var value = form.name
        if let unit = key.unit { value += form.name == "number" ? " of \(unit)" : " (\(unit))" }
        if let range = form.range { value += ", \(range)" }
        if !form.fields.isEmpty { value += " of the keys of `\(key.name)`" }
        let standard = key.isRequired ? "required" : key.standard ?? ""
        let restart = key.reload == .restart ? " Requires a restart." : ""
        return "| `\(key.name)` | \(value) | \(standard) | \(key.doc)\(restart) |\n"
    }
}
