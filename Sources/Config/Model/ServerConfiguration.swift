internal import Glibc

/// The `server` section: listen addresses, access control and shutdown.
public struct ServerConfiguration: Sendable {
    /// The addresses, `unix:PATH` or `tcp:HOST:PORT`, in file order; empty if the file names none.
    public var listen: [String] = []
    /// The place of each element of `listen` in the file, for errors.
    package var listenPlaces: [(line: Int, key: String)] = []
    /// The address of the admin HTTP page, `HOST:PORT`; `nil` for none.
    public var admin: String?
    /// Number of event loops; `nil` for one per core.
    public var loops: Int?
    /// How long calls in progress may continue after SIGTERM, in seconds.
    public var drainTimeout: Double = 30
    /// The tokens of callers over TCP, with their names; empty if none is required. Never empty if other machines can
    /// reach an address.
    public var tokens: [(name: String, token: Secret)] = []
    /// Users who may call over Unix sockets; `nil` for the daemon's own. The superuser always may.
    public var allowedUsers: [UInt32]?
    /// Groups whose members may call over Unix sockets.
    public var allowedGroups: [UInt32] = []
    /// Whether the `model_name` of a caller's `provider/model_name` may be a path to another project, such as
    /// `vertex/projects/…/endpoints/…`: it is called with the configured credential.
    public var allowModelPaths = false

    /// The defaults.
    public init() {}
}

extension ServerConfiguration: Keyed {
    static let standard = ServerConfiguration()
    private static let whoMayCall = KeyInfo.Reload.takenOver(as: "who may call")

    static let keys: [Key<ServerConfiguration>] = [
        listenKey,
        Key(
            "admin", \.admin, .hostAndPort, default: "none", reload: .restart,
            "Address of the admin HTTP page, for example `127.0.0.1:7412`."),
        Key(
            "loops", \.loops, .integer(in: 1...256), default: "one per core", reload: .restart,
            "Number of event loops."),
        Key(
            "drain_timeout", \.drainTimeout, .seconds(), unit: "seconds",
            "How long calls in progress may continue after SIGTERM."),
        tokenKey, tokensKey,
        Key(
            "allow_uids", \.allowedUsers, .accounts("user") { name in getpwnam(name)?.pointee.pw_uid },
            default: "the daemon's own user", reload: whoMayCall,
            "Users allowed to call over Unix sockets; the superuser always is."),
        Key(
            "allow_gids", \.allowedGroups, .accounts("group") { name in getgrnam(name)?.pointee.gr_gid },
            default: "none", reload: whoMayCall,
            "Groups whose processes are allowed to call over Unix sockets."),
        Key(
            "allow_model_paths", \.allowModelPaths, .boolean,
            "Whether callers may name models of other projects, such as `vertex/projects/…/endpoints/…`, which are "
                + "called with the configured credential."),
    ]

    private static let listenKey = Key<ServerConfiguration>(
        KeyInfo(
            name: "listen",
            form: ValueForm(
                name: "`unix:PATH` or `tcp:HOST:PORT`, or a list of these", schema: .definition("addresses")),
            standard: "the clients' default address", reload: .restart,
            doc: "Addresses to listen on; those that other machines can reach require `tokens`."),
        read: { cursor, server in
            let found = cursor.listenAddresses()
            server.listen = found.map(\.address)
            server.listenPlaces = found.map { (line: $0.cursor.node.line, key: $0.cursor.path) }
            return true
        },
        isSame: { $0.listen == $1.listen })

    private static let tokenKey = Key<ServerConfiguration>(
        KeyInfo(
            name: "token", form: ValueType.secret().form, reload: whoMayCall,
            doc: "A token of at least 16 characters for callers over TCP; short for `tokens` with one entry named "
                + "`default`."),
        read: { cursor, server in
            guard let token = cursor.token() else { return false }
            server.tokens.append((name: singleTokenName, token: token))
            return true
        },
        isSame: { $0.hasSameTokens($1) })

    private static let tokensKey = Key<ServerConfiguration>(
        KeyInfo(
            name: "tokens",
            form: ValueForm(name: "map of names to secrets", schema: .definition("tokens"), isSecret: true),
            reload: whoMayCall,
            doc: "Tokens of at least 16 characters for callers over TCP. Each name identifies a caller in logs and "
                + "limits."),
        read: { cursor, server in
            server.tokens += cursor.tokens()
            return true
        },
        isSame: { $0.hasSameTokens($1) })

    /// The name in logs and accounts of the one token that `server.token` gives.
    private static let singleTokenName = "default"

    func check(_ section: Section, given: Set<String>) -> Bool {
        let named = tokens.count { $0.name == Self.singleTokenName } - (given.contains("token") ? 1 : 0)
        if section["token"] != nil, named > 0 {
            section["tokens"]?.report("'\(Self.singleTokenName)' is reserved for 'server.token'; choose another name")
        }
        let hasToken = section["token"] != nil || section["tokens"] != nil
        for (index, address) in listen.enumerated()
        where ListenAddress.mistake(in: address) == nil && !listen[..<index].contains(address) {
            let message: String
            if address == admin.map({ "tcp:\($0)" }), !address.hasSuffix(":0") {
                message = "'server.admin' uses the same address"
            } else if !hasToken, !ListenAddress.isLocal(address) {
                message =
                    "other machines can reach this address; set 'server.tokens', or listen on a loopback address such "
                    + "as 127.0.0.1"
            } else {
                continue
            }
            section.cursor.reading.report(message, at: listenPlaces[index].line, key: listenPlaces[index].key)
        }
        return true
    }

    private func hasSameTokens(_ other: ServerConfiguration) -> Bool {
        tokens.elementsEqual(other.tokens) { $0.name == $1.name && $0.token == $1.token }
    }
}
