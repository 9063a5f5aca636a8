public import Config
internal import Gateway
internal import Generation
internal import Glibc
internal import Providers
internal import RPC
internal import Service

/// This version of Genwire.
public let genwireVersion = Service.genwireVersion

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
            _ = try Catalog(configuration)
        } catch {
            errors.append(ConfigError(file: file, line: 0, key: "", message: error.message))
        }
        let server = configuration.server
        let places = listen.isEmpty ? server.listenPlaces : []
        for (index, text) in listenAddresses(configuration, instead: listen).enumerated() {
            do {
                try Address(text).checkListening(servesNetwork: !server.tokens.isEmpty)
            } catch {
                let place =
                    index < places.count ? places[index] : (line: 0, key: listen.isEmpty ? "server.listen" : "--listen")
                errors.append(
                    ConfigError(file: file, line: place.line, key: place.key, message: error.description))
            }
        }
        guard errors.isEmpty else { throw ConfigErrors(errors) }
    }

    /// Where a daemon listens: the addresses of its command line, the file's, or the default one.
    public static func listenAddresses(_ configuration: Configuration, instead listen: [String]) -> [String] {
        if !listen.isEmpty { return listen }
        return configuration.server.listen.isEmpty ? [DefaultAddress.text] : configuration.server.listen
    }

    /// The providers that a configuration may name.
    public static var knownProviders: [String] { ProviderRegistry.names }
}

/// Where a server listens, and a client connects, when nobody says where.
public enum DefaultAddress {
    /// `unix:$XDG_RUNTIME_DIR/genwire.sock`, else `unix:/tmp/genwire-$UID/genwire.sock`.
    public static var text: String {
        if let folder = getenv("XDG_RUNTIME_DIR"), folder.pointee != 0 {
            return "unix:\(String(cString: folder))/genwire.sock"
        }
        let folder = "/tmp/genwire-\(getuid())"
        // Others must not be able to put a socket of theirs there first.
        mkdir(folder, 0o700)
        return "unix:\(folder)/genwire.sock"
    }
}
