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

        Every key of `config.yaml`. This page is made from the declarations of the keys: after a change, run `genwired schema --markdown > docs/configuration.md`.

        `genwired check --config FILE` says whether a file is good, and what is wrong where. `genwired schema` prints a JSON Schema (draft 2020-12), with which editors complete and check keys; in many of them a first line such as `# yaml-language-server: $schema=genwire.schema.json` names it.

        - `${NAME}` and `${NAME:-default}` in a value are variables of the environment; `$$` is a plain `$`.
        - A **secret** is text, `{file: PATH}` or `{command: [PROGRAM, ARGUMENT, …]}`. It is never shown.
        - A file has at most 1 MiB, 32 levels and 100,000 values. Anchors and aliases work, merge keys (`<<`) do not.
        - SIGHUP reads the file again and takes over everything but \(restartKeys), which take a restart.

        """
    }

    private static var restartKeys: String {
        Configuration.startOnlyKeys.map { "`\($0)`" }.joined(separator: ", ")
    }

    // MARK: Models

    private var models: String {
        var text = """

            An entry, and `generation` itself, is a map of these keys. A name must not begin with a provider's name and `/`.

            \(Self.table(ModelConfiguration.entryKeys(providers)))
            `config` has these keys with every provider:

            \(Self.table(ModelConfiguration.keys.map(\.info)))
            And each provider takes some of its own:

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

            An entry is a map of `type`, of the keys of that type, and of these; [`auth.md`](auth.md) says how tokens are kept:

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
        let restart = key.reload == .restart ? " Takes a restart." : ""
        return "| `\(key.name)` | \(value) | \(standard) | \(key.doc)\(restart) |\n"
    }
}
