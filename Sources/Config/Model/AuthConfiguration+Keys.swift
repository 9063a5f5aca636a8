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
        TypeDeclaration(.apiKey, "A fixed API key, sent in the provider's own header.") { (key: FixedKey) in
            .apiKey(key.key)
        },
        TypeDeclaration(.static, "A fixed token, sent as `Authorization: Bearer`.") { (token: FixedToken) in
            .static(token.token)
        },
        TypeDeclaration(.coin, "OAuth 2 client credentials (RFC 6749 §4.4).") { .coin($0) },
        TypeDeclaration(
            .googleServiceAccount, "A Google service account's key: a signed JWT (RS256) is exchanged for a token."
        ) { .googleServiceAccount($0) },
        TypeDeclaration(
            .googleADC,
            "Google's default search: `GOOGLE_APPLICATION_CREDENTIALS`, gcloud's file, the metadata server; service "
                + "accounts, users, impersonation and external accounts."
        ) { .googleADC($0) },
        TypeDeclaration(.googleMetadata, "The metadata server of a Google Cloud machine.") { .googleMetadata($0) },
        TypeDeclaration(
            .azureAD,
            "An Entra ID application. Requires exactly one of `client_secret`, `certificate_file`, "
                + "`federated_token_file`."
        ) { .azureAD($0) },
        TypeDeclaration(.azureManagedIdentity, "The managed identity of an Azure machine or App Service.") {
            .azureManagedIdentity($0)
        },
        TypeDeclaration(
            .command,
            "A program that prints a token or JSON. It runs without a shell, with limits on its time and output."
        ) { .command($0) },
        TypeDeclaration(.file, "A file that contains a token; it is reread when it changes.") { (file: TokenFile) in
            .file(path: file.path)
        },
    ]

    private struct FixedKey: Keyed {
        var key = Secret("")
        static let standard = FixedKey()
        static let keys: [Key<FixedKey>] = [
            Key("api_key", \.key, .secret(), isRequired: true, "The API key as the vendor issued it.")
        ]
    }

    private struct FixedToken: Keyed {
        var token = Secret("")
        static let standard = FixedToken()
        static let keys: [Key<FixedToken>] = [
            Key("token", \.token, .secret(), isRequired: true, "The token as its issuer returned it.")
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
            "prefix", \.prefix, .headerPrefix, default: "the provider's own; none if `header` is set",
            "The text before the credential in the header, for example `\"Bearer \"`."),
    ]
}

extension AuthConfiguration.OAuthClient: Keyed {
    /// The environment variable with the client ID, used if the file does not set one.
    private static let clientVariable = "COIN_CONSUMER_CLIENT_ID"
    static let standard = Self(tokenURL: "", clientID: "", clientSecret: Secret(""))

    static let keys: [Key<Self>] = [
        Key("token_url", \.tokenURL, .tokenURL, isRequired: true, "The token endpoint."),
        Key(
            "client_id", \.clientID, .text, default: "environment variable `\(clientVariable)`",
            "The client ID."),
        Key("client_secret", \.clientSecret, .secret(), isRequired: true, "The client secret."),
        Key(
            "client_auth", \.clientAuth, .choice,
            "How the client authenticates: in the form, or by a Basic `Authorization` header (RFC 6749 §2.3.1)."),
        Key("scope", \.scope, .scope, default: "none", "The requested scopes."),
        Key("extra", \.extra, .textMap, default: "none", "Additional form fields."),
        Key("token_path", \.tokenPath, .text, "The dotted path of the token in the JSON response."),
        Key(
            "expiry_path", \.expiryPath, .text,
            "The dotted path of the lifetime, in seconds, in the JSON response."),
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
        Key(
            "credentials_file", \.credentialsFile, .text,
            "The path of the JSON key file. Exactly one of this and `credentials_json` is required."),
        Key("credentials_json", \.credentialsJSON, .secret(isHeader: false), "The content of the JSON key file."),
        Key("token_uri", \.tokenURI, .tokenURL, default: "the key's own", "Overrides the token endpoint."),
        Key("scope", \.scope, .scope, default: "`cloud-platform`", "The requested scopes."),
    ]

    func check(_ section: Section, given: Set<String>) -> Bool {
        section.hasOne(of: ["credentials_file", "credentials_json"])
    }
}

extension AuthConfiguration.GoogleADC: Keyed {
    static let standard = Self()

    static let keys: [Key<Self>] = [
        Key("credentials_file", \.credentialsFile, .text, default: "the default search", "The path of the JSON file."),
        Key(
            "token_uri", \.tokenURI, .tokenURL, default: "the file's own",
            "Overrides the token endpoint of service accounts and users."),
        Key("scope", \.scope, .scope, default: "`cloud-platform`", "The requested scopes."),
    ]
}

extension AuthConfiguration.GoogleMetadata: Keyed {
    static let standard = Self()

    static let keys: [Key<Self>] = [
        Key("endpoint", \.endpoint, .tokenURL, default: "Google's", "The URL of the metadata server."),
        Key("scope", \.scope, .scope, default: "the machine's default", "The requested scopes."),
    ]
}

extension AuthConfiguration.AzureAD: Keyed {
    static let standard = Self(tenantID: "", clientID: "")

    static let keys: [Key<Self>] = [
        Key("tenant_id", \.tenantID, .text, isRequired: true, "The tenant ID."),
        Key("client_id", \.clientID, .text, isRequired: true, "The application (client) ID."),
        Key("client_secret", \.clientSecret, .secret(), "The application's client secret."),
        Key(
            "certificate_file", \.certificateFile, .text,
            "The path of a PEM file with a certificate and its private key."),
        Key(
            "federated_token_file", \.federatedTokenFile, .text,
            "The path of a file with a token of another issuer; it is read at each refresh."),
        Key(
            "authority_host", \.authorityHost, .tokenURL, default: "the public cloud's",
            "The URL of the Entra ID authority."),
        Key("scope", \.scope, .scope, default: "Azure OpenAI's", "The requested scopes."),
    ]

    func check(_ section: Section, given: Set<String>) -> Bool {
        section.hasOne(of: ["client_secret", "certificate_file", "federated_token_file"])
    }
}

extension AuthConfiguration.AzureManagedIdentity: Keyed {
    static let standard = Self()

    static let keys: [Key<Self>] = [
        Key(
            "client_id", \.clientID, .text, default: "the machine's only one",
            "The identity to use if there are several."),
        Key(
            "resource", \.resource, .text, default: "Azure OpenAI", "The resource that the token is valid for."),
        Key("endpoint", \.endpoint, .tokenURL, default: "Azure's", "The URL of the identity server."),
    ]
}

extension AuthConfiguration.TokenCommand: Keyed {
    static let standard = Self(arguments: [])

    static let keys: [Key<Self>] = [
        Key("command", \.arguments, .command, isRequired: true, "The program with its arguments."),
        Key(
            "token_path", \.tokenPath, .text, default: "the whole output",
            "The dotted path of the token in JSON output."),
        Key(
            "expiry_path", \.expiryPath, .text, default: "none",
            "The dotted path of the lifetime, in seconds, in JSON output."),
    ]
}
