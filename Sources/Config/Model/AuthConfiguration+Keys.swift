/// The keys of each type of credential, and what the type is for.
extension AuthConfiguration {
    static let typeKey = KeyInfo(
        name: "type", form: ValueType<Kind>.choice.form, isRequired: true, doc: "Where the credential comes from.")

    /// A type of credential.
    struct TypeDeclaration: Sendable {
        let kind: Kind
        let doc: String
        let keys: [KeyInfo]
        let read: @Sendable (Section) -> Method?

        init<Keys: Keyed>(_ kind: Kind, _ doc: String, _ method: @escaping @Sendable (Keys) -> Method) {
            self.kind = kind
            self.doc = doc
            keys = Keys.keys.map(\.info)
            read = { section in
                var value = Keys.standard
                return section.read(into: &value) ? method(value) : nil
            }
        }
    }

    /// All types, in the order of the reference.
    static let types: [TypeDeclaration] = [
        TypeDeclaration(.apiKey, "A key, in the provider's own header.") { (key: FixedKey) in .apiKey(key.key) },
        TypeDeclaration(.static, "A token, as `Authorization: Bearer`.") { (token: FixedToken) in .static(token.token)
        },
        TypeDeclaration(.coin, "OAuth 2 client credentials (RFC 6749 §4.4).") { .coin($0) },
        TypeDeclaration(.googleServiceAccount, "A Google service account's key: a signed JWT for a token (RS256).") {
            .googleServiceAccount($0)
        },
        TypeDeclaration(
            .googleADC,
            "Google's default search: `GOOGLE_APPLICATION_CREDENTIALS`, gcloud's file, the metadata server; service "
                + "accounts, users, impersonation and external accounts."
        ) { .googleADC($0) },
        TypeDeclaration(.googleMetadata, "The metadata server of a Google machine.") { .googleMetadata($0) },
        TypeDeclaration(
            .azureAD,
            "An Entra ID application. Exactly one of `client_secret`, `certificate_file` and `federated_token_file`."
        ) { .azureAD($0) },
        TypeDeclaration(.azureManagedIdentity, "The identity of an Azure machine or App Service.") {
            .azureManagedIdentity($0)
        },
        TypeDeclaration(
            .command, "A program that prints a token or JSON; without a shell, with limits on its time and output."
        ) { .command($0) },
        TypeDeclaration(.file, "A file that holds a token, read again when it changes.") { (file: TokenFile) in
            .file(path: file.path)
        },
    ]

    private struct FixedKey: Keyed {
        var key = Secret("")
        static let standard = FixedKey()
        static let keys: [Key<FixedKey>] = [
            Key("api_key", \.key, .secret(), isRequired: true, "The key as the vendor gave it.")
        ]
    }

    private struct FixedToken: Keyed {
        var token = Secret("")
        static let standard = FixedToken()
        static let keys: [Key<FixedToken>] = [
            Key("token", \.token, .secret(), isRequired: true, "The token as its issuer gave it.")
        ]
    }

    private struct TokenFile: Keyed {
        var path = ""
        static let standard = TokenFile()
        static let keys: [Key<TokenFile>] = [Key("path", \.path, .text, isRequired: true, "The path of the file.")]
    }
}

extension AuthConfiguration: Keyed {
    static let standard = AuthConfiguration(name: "", method: .file(path: ""))

    /// The keys that go with every type, beside `type`.
    static let keys: [Key<AuthConfiguration>] = [
        Key(
            "header", \.header, .headerName, default: "the provider's own",
            "The header that carries the credential."),
        Key(
            "prefix", \.prefix, .headerPrefix, default: "the provider's own, none in a `header` of one's own",
            "What stands before the credential in the header, for example `\"Bearer \"`."),
    ]
}

extension AuthConfiguration.OAuthClient: Keyed {
    /// The variable of the environment that gives the client's name where the file does not.
    private static let clientVariable = "COIN_CONSUMER_CLIENT_ID"
    static let standard = Self(tokenURL: "", clientID: "", clientSecret: Secret(""))

    static let keys: [Key<Self>] = [
        Key("token_url", \.tokenURL, .tokenURL, isRequired: true, "The token endpoint."),
        Key(
            "client_id", \.clientID, .text, default: "`\(clientVariable)` of the environment",
            "The client's name."),
        Key("client_secret", \.clientSecret, .secret(), isRequired: true, "The client's password."),
        Key(
            "client_auth", \.clientAuth, .choice,
            "How the client shows who it is: in the form, or by a Basic `Authorization` header (RFC 6749 §2.3.1)."),
        Key("scope", \.scope, .scope, default: "none", "What the token is for."),
        Key("extra", \.extra, .textMap, default: "none", "More fields of the form."),
        Key("token_path", \.tokenPath, .text, "Where the token is in the JSON answer, with dots between the names."),
        Key(
            "expiry_path", \.expiryPath, .text,
            "Where the lifetime in seconds is in the JSON answer, with dots between the names."),
    ]

    mutating func check(_ section: Section, given: Set<String>) -> Bool {
        guard section["client_id"] == nil else { return given.contains("client_id") }
        clientID = section.cursor.reading.environment[Self.clientVariable] ?? ""
        guard clientID.isEmpty else { return true }
        section.reportMissing(
            "client_id", "is missing, and the environment variable \(Self.clientVariable) is not set",
            isMissingVariable: true)
        return false
    }
}

extension AuthConfiguration.GoogleServiceAccount: Keyed {
    static let standard = Self()

    static let keys: [Key<Self>] = [
        Key("credentials_file", \.credentialsFile, .text, "The JSON file; this or `credentials_json` must be there."),
        Key("credentials_json", \.credentialsJSON, .secret(isHeader: false), "The JSON text."),
        Key("token_uri", \.tokenURI, .tokenURL, default: "the key's own", "Replaces the token endpoint."),
        Key("scope", \.scope, .scope, default: "`cloud-platform`", "What the token is for."),
    ]

    func check(_ section: Section, given: Set<String>) -> Bool {
        section.hasOne(of: ["credentials_file", "credentials_json"])
    }
}

extension AuthConfiguration.GoogleADC: Keyed {
    static let standard = Self()

    static let keys: [Key<Self>] = [
        Key("credentials_file", \.credentialsFile, .text, default: "the usual search", "The JSON file."),
        Key(
            "token_uri", \.tokenURI, .tokenURL, default: "the file's own",
            "Replaces the token endpoint of service accounts and users."),
        Key("scope", \.scope, .scope, default: "`cloud-platform`", "What the token is for."),
    ]
}

extension AuthConfiguration.GoogleMetadata: Keyed {
    static let standard = Self()

    static let keys: [Key<Self>] = [
        Key("endpoint", \.endpoint, .tokenURL, default: "the usual one", "The metadata server."),
        Key("scope", \.scope, .scope, default: "the machine's own", "What the token is for."),
    ]
}

extension AuthConfiguration.AzureAD: Keyed {
    static let standard = Self(tenantID: "", clientID: "")

    static let keys: [Key<Self>] = [
        Key("tenant_id", \.tenantID, .text, isRequired: true, "The id of the tenant."),
        Key("client_id", \.clientID, .text, isRequired: true, "The id of the application."),
        Key("client_secret", \.clientSecret, .secret(), "The application's password."),
        Key("certificate_file", \.certificateFile, .text, "A PEM file with certificate and private key."),
        Key(
            "federated_token_file", \.federatedTokenFile, .text,
            "A file with a token of another issuer, read for each refresh."),
        Key("authority_host", \.authorityHost, .tokenURL, default: "the public cloud's", "The URL of the authority."),
        Key("scope", \.scope, .scope, default: "Azure OpenAI's", "What the token is for."),
    ]

    func check(_ section: Section, given: Set<String>) -> Bool {
        section.hasOne(of: ["client_secret", "certificate_file", "federated_token_file"])
    }
}

extension AuthConfiguration.AzureManagedIdentity: Keyed {
    static let standard = Self()

    static let keys: [Key<Self>] = [
        Key(
            "client_id", \.clientID, .text, default: "the machine's only one", "The identity, where there are several."),
        Key("resource", \.resource, .text, default: "Azure OpenAI", "What the token is for."),
        Key("endpoint", \.endpoint, .tokenURL, default: "the usual one", "The identity server."),
    ]
}

extension AuthConfiguration.TokenCommand: Keyed {
    static let standard = Self(arguments: [])

    static let keys: [Key<Self>] = [
        Key("command", \.arguments, .command, isRequired: true, "The program with its arguments."),
        Key(
            "token_path", \.tokenPath, .text, default: "the output is the token",
            "Where the token is in JSON output, with dots between the names."),
        Key(
            "expiry_path", \.expiryPath, .text, default: "none",
            "Where the lifetime in seconds is in JSON output, with dots between the names."),
    ]
}
