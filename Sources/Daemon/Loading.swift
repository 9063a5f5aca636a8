package import Config
internal import Gateway
internal import Generation
internal import Providers
internal import RPC

/// Reads and validates configurations, for the daemon and `genwired check`.
package enum Loading {
    /// Reads a configuration file, with the process's environment. Blocks while it runs commands and reads files that
    /// provide secrets.
    /// - Parameter commands: the scope of these commands, through which they can be ended early.
    /// - Throws: `ConfigErrors` with all errors and their positions.
    package static func configuration(
        _ path: String, commands: CommandScope = CommandScope()
    ) throws(ConfigErrors) -> Configuration {
        try Configuration.load(
            path: path, environment: CredentialStore.processEnvironment, knownProviders: knownProviders,
            commands: commands)
    }

    /// Finds errors that would prevent a start but are not visible in the file alone, for example a model without a
    /// credential or a socket in a missing directory. An address that another server currently uses is accepted.
    /// - Parameters:
    ///   - file: the file name for error messages.
    ///   - listen: addresses from the command line, which override the configuration's; empty for none.
    /// - Returns: what would not prevent a start, but is worth a warning; one line each.
    /// - Throws: `ConfigErrors` with the first model that cannot be built and every unusable address.
    package static func validate(
        _ configuration: Configuration, file: String, listen: [String] = []
    ) throws(ConfigErrors) -> [String] {
        var errors: [ConfigError] = []
        var warnings: [String] = []
        do {
            warnings = try Gateway.check(configuration)
        } catch {
            errors.append(ConfigError(file: file, line: 0, key: "", message: error.message))
        }
        let server = configuration.server
        let places = listen.isEmpty ? server.listenPlaces : []
        // `nil` means the default address.
        let addresses: [String?] = listen.isEmpty ? server.listen : listen
        for (index, text) in (addresses.isEmpty ? [nil] : addresses).enumerated() {
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
        return warnings.map { "\(file): warning: \($0)" }
    }

    /// The JSON Schema (draft 2020-12) of the configuration.
    package static var schema: String { ConfigurationSchema(knownProviders).text }

    /// The reference of all keys in Markdown: `docs/configuration.md`.
    package static var reference: String { ConfigurationReference(knownProviders).markdown }

    /// The providers that a configuration may use, with the keys that each accepts.
    package static var knownProviders: [ProviderKeys] { ProviderRegistry.keys }
}
