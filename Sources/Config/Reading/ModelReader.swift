internal import Encodings

/// Reads `generation` and the entries of `models`.
struct ModelReader {
    private let providers: [ProviderKeys]
    /// The file's sections, which provide defaults for models.
    private let standard: ModelConfiguration
    /// The names of all keys that a `config` may have with some provider.
    private let allNames: [String]

    init(_ configuration: Configuration, providers: [ProviderKeys]) {
        self.providers = providers
        var standard = ModelConfiguration.standard
        standard.timeouts = configuration.timeouts
        standard.retry = configuration.retry
        standard.caFile = configuration.tls.caFile
        self.standard = standard
        allNames = ModelConfiguration.keys.map(\.info.name) + ProviderKeys.all(providers).map(\.info.name)
    }

    /// The model at `cursor`; `nil` if it is too incomplete to use. Errors are reported in any case.
    func read(_ cursor: Cursor, name: String) -> ModelConfiguration? {
        let inner = (name: ModelConfiguration.configKey.name, keys: allNames)
        guard let section = cursor.section(keys: ModelConfiguration.entryKeys, inner: inner) else { return nil }
        let provider = section[ModelConfiguration.providerKey].flatMap(provider)
        var model = standard
        model.name = name
        model.provider = provider?.keys.name ?? ""
        _ = section.read([ModelConfiguration.optionalKey], into: &model)
        guard let config = section[ModelConfiguration.configKey] else { return model }
        // If the provider is unknown or comes from the environment, keys of all providers are accepted.
        let known = [provider?.keys].compactMap(\.self)
        let own = ProviderKeys.all(provider?.isFixed == true ? known : known + providers)
        guard let config = self.config(config, own, provider: provider?.keys.name) else { return model }
        _ = config.read(into: &model)
        for key in own {
            guard let cursor = config[key.info] else { continue }
            model.own[key.info.name] = key.read(cursor)
        }
        return model
    }

    /// The `config` map. A key of other providers gets a different error from an unknown key.
    private func config(_ cursor: Cursor, _ own: [ProviderKeys.Declaration], provider: String?) -> Section? {
        cursor.section(keys: ModelConfiguration.keys.map(\.info) + own.map(\.info)) { name in
            let others = providers.filter { $0.keys.contains { $0.info.name == name } }.map(\.name)
            guard let provider, !others.isEmpty else { return nil }
            let owners = others.joined(separator: ", ")
            return "the provider '\(provider)' does not support this key; it belongs to \(owners)"
        }
    }

    private func provider(_ cursor: Cursor) -> (keys: ProviderKeys, isFixed: Bool)? {
        guard let value = cursor.expanded(expected: "a provider's name") else { return nil }
        if let provider = providers.first(where: { $0.name == value.text }) {
            return (provider, !value.isInterpolated)
        }
        let shown = value.isInterpolated ? "" : " \"\(Path.printable(value.text, limit: 40))\""
        cursor.report("unknown provider\(shown)\(NearestName.hint(for: value.text, among: providers.map(\.name)))")
        return nil
    }
}

extension ProviderKeys {
    /// The keys of all providers, each name once.
    static func all(_ providers: [ProviderKeys]) -> [Declaration] {
        var names: Set<String> = []
        return providers.flatMap(\.keys).filter { names.insert($0.info.name).inserted }
    }
}
