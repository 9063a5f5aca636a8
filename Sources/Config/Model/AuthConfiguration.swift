/// An entry of `auth`: how a credential is obtained and sent.
public struct AuthConfiguration: Sendable, Equatable {
    /// The types with their own keys.
    public enum Method: Sendable, Equatable {
        /// A fixed key.
        case apiKey(Secret)
        /// COIN: an OAuth2 client credentials grant with configurable details.
        case coin(OAuthClient)
        /// A Google service account's key.
        case googleServiceAccount(GoogleServiceAccount)
        /// Google's application default credentials.
        case googleADC(GoogleADC)
        /// The metadata server of a Google Cloud machine.
        case googleMetadata(GoogleMetadata)
        /// An Entra ID application.
        case azureAD(AzureAD)
        /// The identity of an Azure machine.
        case azureManagedIdentity(AzureManagedIdentity)
        /// A program that prints a token.
        case command(TokenCommand)
        /// A file that holds a token and may change.
        case file(path: String)
        /// A fixed token.
        case `static`(Secret)
    }

    /// The names of the types in the file.
    public enum Kind: String, Sendable, CaseIterable {
        /// See `Method.apiKey`.
        case apiKey = "api_key"
        /// See `Method.coin`.
        case coin
        /// See `Method.googleServiceAccount`.
        case googleServiceAccount = "google_service_account"
        /// See `Method.googleADC`.
        case googleADC = "google_adc"
        /// See `Method.googleMetadata`.
        case googleMetadata = "google_metadata"
        /// See `Method.azureAD`.
        case azureAD = "azure_ad"
        /// See `Method.azureManagedIdentity`.
        case azureManagedIdentity = "azure_managed_identity"
        /// See `Method.command`.
        case command
        /// See `Method.file`.
        case file
        /// See `Method.static`.
        case `static`
    }

    /// The entry's name.
    public var name: String
    /// The type with its keys.
    public var method: Method
    /// The header that carries the credential; `nil` for the provider's own.
    public var header: String?
    /// The text before the credential in the header, for example `Bearer `; `nil` for the provider's own.
    public var prefix: String?

    /// A credential.
    public init(name: String, method: Method) {
        self.name = name
        self.method = method
    }

    /// The type without its keys.
    public var kind: Kind {
        switch method {
        case .apiKey: .apiKey
        case .coin: .coin
        case .googleServiceAccount: .googleServiceAccount
        case .googleADC: .googleADC
        case .googleMetadata: .googleMetadata
        case .azureAD: .azureAD
        case .azureManagedIdentity: .azureManagedIdentity
        case .command: .command
        case .file: .file
        case .static: .static
        }
    }
}

extension AuthConfiguration {
    /// A client credentials grant (RFC 6749 §4.4).
    public struct OAuthClient: Sendable, Equatable {
        /// How the client shows who it is (RFC 6749 §2.3.1).
        public enum ClientAuth: String, Sendable, CaseIterable {
            /// In the form.
            case body
            /// By a Basic `Authorization` header.
            case basic
        }

        /// The token endpoint; a lone `…` in files that are samples.
        public var tokenURL: String
        /// The client ID; by default the environment variable `COIN_CONSUMER_CLIENT_ID`.
        public var clientID: String
        /// The client secret.
        public var clientSecret: Secret
        /// How the client shows who it is.
        public var clientAuth = ClientAuth.body
        /// The scopes, with spaces between them.
        public var scope: String?
        /// More fields of the form; the values may be secret.
        public var extra: [String: String] = [:]
        /// The dotted path of the token in the JSON response.
        public var tokenPath = "access_token"
        /// The dotted path of the lifetime, in seconds, in the JSON response.
        public var expiryPath = "expires_in"
    }

    /// A service account's key, from a file or as text: exactly one of the two is there.
    public struct GoogleServiceAccount: Sendable, Equatable {
        /// The JSON file.
        public var credentialsFile: String?
        /// The JSON text.
        public var credentialsJSON: Secret?
        /// Replaces the token endpoint that the key names.
        public var tokenURI: String?
        /// The scopes, with spaces between them; `nil` for `cloud-platform`.
        public var scope: String?
    }

    /// Application default credentials.
    public struct GoogleADC: Sendable, Equatable {
        /// The JSON file; `nil` for the usual search.
        public var credentialsFile: String?
        /// Overrides the token endpoint of service accounts and users.
        public var tokenURI: String?
        /// The scopes, with spaces between them; `nil` for `cloud-platform`.
        public var scope: String?

        /// The usual search.
        public init() {}
    }

    /// A Google machine's metadata server.
    public struct GoogleMetadata: Sendable, Equatable {
        /// The server's URL; `nil` for the usual one.
        public var endpoint: String?
        /// The scopes, with spaces between them; `nil` for the machine's default.
        public var scope: String?

        /// The usual server.
        public init(endpoint: String? = nil, scope: String? = nil) {
            self.endpoint = endpoint
            self.scope = scope
        }
    }

    /// An Entra ID application. One of secret, certificate and federated token is there.
    public struct AzureAD: Sendable, Equatable {
        /// The tenant.
        public var tenantID: String
        /// The application.
        public var clientID: String
        /// The application's client secret.
        public var clientSecret: Secret?
        /// The path of a PEM file with a certificate and its private key.
        public var certificateFile: String?
        /// A file with a token of another issuer; it changes, so it is read for each refresh.
        public var federatedTokenFile: String?
        /// The authority's URL; `nil` for the public cloud.
        public var authorityHost: String?
        /// The scope; `nil` for Azure OpenAI's.
        public var scope: String?
    }

    /// An Azure machine's identity.
    public struct AzureManagedIdentity: Sendable, Equatable {
        /// The identity to use if the machine has several.
        public var clientID: String?
        /// What the token is for; `nil` for Azure OpenAI.
        public var resource: String?
        /// The identity server's URL; `nil` for the usual one.
        public var endpoint: String?
    }

    /// A program that prints a token, or JSON that holds one.
    public struct TokenCommand: Sendable, Equatable {
        /// The program with its arguments.
        public var arguments: [String]
        /// The dotted path of the token in the JSON output; `nil` if the output itself is the token.
        public var tokenPath: String?
        /// The dotted path of the lifetime, in seconds, in the JSON output.
        public var expiryPath: String?
    }
}
