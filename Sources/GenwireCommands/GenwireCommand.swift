package import ArgumentParser
internal import Generation
internal import Glibc

/// The `genwire` command.
package struct GenwireCommand: AsyncParsableCommand {
    /// The name, help text and subcommands.
    package static let configuration = CommandConfiguration(
        commandName: "genwire",
        abstract: "Talk to language models through a Genwire server.",
        discussion: "Exit codes:\n" + ExitStatus.table,
        version: genwireVersion,
        subcommands: [Generate.self, Chat.self, REPL.self, Embed.self] + reportCommands)

    @OptionGroup var options: GlobalOptions

    /// Creates the command; called by the argument parser.
    package init() {}

    /// Parses and runs a command line, given without the program's name. Exits the process on errors.
    package static func run(_ words: [String]) async {
        do {
            var command = try parseAsRoot(DashedText.marked(words))
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            let message = fullMessage(for: error)
            let plain = DashedText.unmarked(message)
            guard plain != message else { exit(withError: error) }
            Output.errorLine(plain)
            Glibc.exit(exitCode(for: error).rawValue)
        }
    }
}

/// Converts seconds to whole milliseconds, at least 1.
func milliseconds(_ seconds: Double) -> UInt64 { UInt64(max(1, seconds * 1000)) }

/// The options of every subcommand; they may precede or follow its name.
struct GlobalOptions: ParsableArguments {
    @Option(
        help: "The server: unix:PATH or tcp:HOST:PORT. Default: GENWIRE_CONNECT, else the default socket.",
        transform: DashedText.plain)
    var connect: String?
    @Flag(help: "Print JSON: one object, or one per line for streams.")
    var json = false
    @Option(help: "The model or route. Default: the server's default model.", transform: DashedText.plain)
    var model: String?
    @Option(
        help: """
            Timeout in seconds, including connecting; in `repl`, per response. Default: none, but 30 for connecting \
            and the server's first reply.
            """)
    var timeout: Double?
    // The token itself is not an option: it would be visible in the process list.
    @Option(
        help: "A file with the token for servers on TCP. Default: GENWIRE_TOKEN.",
        transform: DashedText.plain)
    var tokenFile: String?
    @Option(
        help: """
            A user, by name or number, that the server on a Unix socket may run as, besides you and root. \
            Default: GENWIRE_SERVER_USER.
            """)
    var serverUser: String?

    func validate() throws {
        if let timeout, !(timeout > 0 && timeout <= 86_400) {
            throw ValidationError("--timeout must be more than 0 and at most 86400 seconds")
        }
    }

    /// Combines the options after the subcommand's name, which take precedence, with those before it.
    func merged(over parent: GlobalOptions) -> GlobalOptions {
        var merged = self
        merged.connect = connect ?? parent.connect
        merged.json = json || parent.json
        merged.model = model ?? parent.model
        merged.timeout = timeout ?? parent.timeout
        merged.tokenFile = tokenFile ?? parent.tokenFile
        merged.serverUser = serverUser ?? parent.serverUser
        return merged
    }

    var deadlineMilliseconds: UInt64 { timeout.map(milliseconds) ?? 0 }

    /// The server's token: from the file, else from the environment, else `nil`.
    func token() throws -> String? {
        if let tokenFile {
            guard let file = fopen(tokenFile, "r") else {
                throw ValidationError("--token-file \(tokenFile): \(String(cString: strerror(errno)))")
            }
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: 8192)
            let count = fread(&bytes, 1, bytes.count, file)
            return String(decoding: bytes[..<count], as: UTF8.self).split(whereSeparator: \.isWhitespace).first
                .map(String.init)
        }
        return Self.variable("GENWIRE_TOKEN")
    }

    /// The server's address: from the option, else from the environment, else `nil` for the default.
    var address: String? { connect ?? Self.variable("GENWIRE_CONNECT") }

    /// The id of the user that the server may run as: from the option, else from the environment, else `nil`.
    func serverUserID() throws -> UInt32? {
        guard let name = serverUser ?? Self.variable("GENWIRE_SERVER_USER") else { return nil }
        if let number = UInt32(name) { return number }
        guard let entry = getpwnam(name) else {
            throw ValidationError("--server-user or GENWIRE_SERVER_USER: unknown user '\(name)'")
        }
        return entry.pointee.pw_uid
    }

    /// An environment variable; `nil` if it is unset or empty.
    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
}
