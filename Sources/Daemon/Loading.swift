public import Config
internal import Gateway
internal import Generation
internal import Providers
internal import RPC

/// From a file to a configuration, as the daemon and `genwired check` read it.
public enum Loading {
    /// Reads a configuration with the process's environment. May run commands and read files that secrets come from,
    /// and blocks for as long as these take.
    /// - Parameter commands: ends the commands before their time.
    /// - Throws: `ConfigErrors`: all mistakes, with their places.
    public static func configuration(
        _ path: String, commands: CommandScope = CommandScope()
    ) throws(ConfigErrors) -> Configuration {
        try Configuration.load(
            path: path, environment: CredentialStore.processEnvironment, knownProviders: knownProviders,
            commands: commands)
    }

    /// Finds what a start would be refused for and a file alone does not show: a model without a credential, a socket
    /// whose folder is missing. An address that another server has now passes.
    /// - Parameters:
    ///   - file: the name that errors give.
    ///   - listen: the addresses that count instead of the file's; empty for the file's.
    /// - Throws: `ConfigErrors`: the first model that cannot be built, and every address.
    public static func validate(
        _ configuration: Configuration, file: String, listen: [String] = []
    ) throws(ConfigErrors) {
        var errors: [ConfigError] = []
        do {
            try Gateway.check(configuration)
        } catch {
            errors.append(ConfigError(file: file, line: 0, key: "", message: error.message))
        }
        let server = configuration.server
        let places = listen.isEmpty ? server.listenPlaces : []
        // None stands for the default address.
        let wanted: [String?] = listen.isEmpty ? server.listen : listen
        for (index, text) in (wanted.isEmpty ? [nil] : wanted).enumerated() {
            do throws(AddressError) {
                let address = if let text { try Address(text) } else { try DefaultAddress.own() }
                try address.checkListening(servesNetwork: !server.tokens.isEmpty)
            } catch {
                let place =
                    index < places.count ? places[index] : (line: 0, key: listen.isEmpty ? "server.listen" : "--listen")
                errors.append(
                    ConfigError(file: file, line: place.line, key: place.key, message: error.description))
            }
        }
        guard errors.isEmpty else { throw ConfigErrors(errors) }
    }

    /// The JSON Schema (draft 2020-12) of a configuration, for editors.
    package static var schema: String { ConfigurationSchema(knownProviders).text }

    /// The reference of all keys: `docs/configuration.md`.
    package static var reference: String { ConfigurationReference(knownProviders).markdown }

    /// The providers that a configuration may name, with the keys that each of them takes.
    public static var knownProviders: [ProviderKeys] { ProviderRegistry.keys }
}
