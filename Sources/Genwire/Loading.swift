public import Config
internal import Gateway
public import Generation
internal import Glibc
internal import Providers
internal import Service

/// This version of Genwire.
public let genwireVersion = Service.genwireVersion

/// From a file to a configuration, as the daemon and `genwired check` read it.
public enum Loading {
    /// Reads a configuration with the process's environment. May run commands and read files that secrets come from.
    /// - Throws: `ConfigErrors`: all mistakes, with their places.
    public static func configuration(_ path: String) throws(ConfigErrors) -> Configuration {
        try Configuration.load(
            path: path, environment: CredentialStore.processEnvironment, knownProviders: knownProviders)
    }

    /// Builds every model without serving, for what a file alone does not show, such as a missing credential.
    /// - Throws: `GenerationError` of the first model that cannot be built.
    public static func validate(_ configuration: Configuration) throws(GenerationError) {
        _ = try Catalog(configuration)
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
