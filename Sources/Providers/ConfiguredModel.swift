package import Auth
package import Config
internal import EventLoop
package import Generation
internal import HTTPClient
internal import JSON

/// A configured model: everything about it that is the same for every request. Shared by all loops.
package final class ConfiguredModel: Sendable {
    /// The name to ask for: the configuration's, `default`, or `provider/model_name`.
    package let name: String
    /// The provider's name.
    package var providerName: String { provider.name }
    /// The vendor's name of the model.
    package var modelName: String { configuration.modelName }
    /// What it supports, as named in `ListModels`.
    package var capabilityNames: [String] { facts.capabilityNames(apis.capabilities) }
    /// Its section of the configuration.
    package let configuration: ModelConfiguration
    /// Whether the configuration defines it. Others are created when a caller asks for `provider/model_name`.
    package let isConfigured: Bool

    /// What the catalogue knows of it.
    package let facts: ModelFacts

    /// How its images and documents are fetched; `nil` if the vendor does it, or if URLs are refused.
    let mediaFetch: MediaFetch.Rule?
    let provider: Provider
    private let apis: ModelAPIs
    /// Where and how its vectors are asked for; `nil` if the provider has none.
    let embedding: EmbeddingEndpoint?
    /// What a request's body calls it.
    let nameInBody: String
    /// The credential of its requests; `nil` for a server that needs none.
    package let credential: Credential?
    let timeouts: HTTPTimeouts
    let probes = ProbeLimiter()
    private let patch: BodyPatch?
    /// Every header except the credential's.
    private let plainHeaders: [(name: String, value: String)]
    /// The header that carries the credential, and the prefix of its value.
    private let credentialHeader: (name: String, prefix: String)
    /// The secrets in the section's `headers`.
    let ownSecrets: SecretSet
    /// The headers with the newest token, rebuilt only when the token changes.
    private let known = Locked<(generation: UInt64, identity: Identity)?>(nil)

    /// What a request is sent with: its headers, and the secrets in them that must not appear in responses.
    struct Identity: Sendable {
        let headers: HTTPHeaders
        let secrets: SecretSet
    }

    /// Prepares the model of one section.
    /// - Parameters:
    ///   - credentials: those of the whole configuration.
    ///   - catalogue: the facts of all models.
    ///   - isConfigured: see the property.
    /// - Throws: `GenerationError`: `.authentication` if the credential is missing (it names the key and the
    ///   environment variable), `.unsupported` or `.invalidRequest` if the section cannot work.
    package init(
        _ model: ModelConfiguration, credentials: CredentialStore, catalogue: Catalogue = .embedded,
        isConfigured: Bool = true
    ) throws(GenerationError) {
        guard var provider = ProviderRegistry.provider(named: model.provider) else {
            throw GenerationError(
                .unsupported,
                "\(model.name): unknown provider '\(model.provider)'; available: "
                    + ProviderRegistry.names.joined(separator: ", "))
        }
        name = model.name
        self.configuration = model
        self.isConfigured = isConfigured
        let facts = Self.facts(model, provider, catalogue)
        self.facts = facts
        mediaFetch = facts.acceptsURLs ? nil : MediaFetch.Rule(model)
        apis = try ModelAPIs(model, provider, facts, fetchesURLs: mediaFetch != nil)
        embedding = try provider.endpoints(model, facts).embed.map { EmbeddingEndpoint($0, facts) }
        nameInBody = provider.nameInBody(model)
        provider.dialect = apis.main.dialect
        self.provider = provider
        patch = try BodyPatch(model.extraBody)
        timeouts = HTTPTimeouts(model.timeouts)
        let entry = try Self.credential(of: model, rule: provider.credential, credentials)
        credential = entry?.credential
        let rule = credential?.isKey == true ? provider.credential.keyHeader : ("Authorization", "Bearer ")
        // A custom header carries the bare credential, unless the section sets a prefix.
        let isOwn = entry?.header.map { $0.lowercased() != "authorization" } ?? false
        credentialHeader = (name: entry?.header ?? rule.0, prefix: entry?.prefix ?? (isOwn ? "" : rule.1))
        var headers: [(name: String, value: String)] = [("Content-Type", "application/json")]
        headers += provider.headers(model)
        for (name, value) in model.extraHeaders.sorted(by: { $0.key < $1.key }) {
            headers.removeAll { $0.name.lowercased() == name.lowercased() }
            headers.append((name, value))
        }
        plainHeaders = headers
        ownSecrets = SecretSet(token: nil, headers: model.extraHeaders)
        // Reports invalid headers now instead of with the first request.
        let isFixed = credential?.kind == .apiKey || credential?.kind == .static
        if case .failure(let error) = identity(isFixed ? credential?.current : nil) { throw error }
    }

    /// What the catalogue knows of the model of a section; `nil` if the provider is unknown.
    package static func facts(_ model: ModelConfiguration, in catalogue: Catalogue) -> ModelFacts? {
        ProviderRegistry.provider(named: model.provider).map { facts(model, $0, catalogue) }
    }

    private static func facts(
        _ model: ModelConfiguration, _ provider: Provider, _ catalogue: Catalogue
    ) -> ModelFacts {
        catalogue.facts(provider: provider.name, name: provider.catalogueName(model))
    }

    /// The endpoints of most requests, and of those without a conversation.
    var endpoints: Endpoints { apis.main.endpoints }

    /// The API to use for `request`.
    func api(for request: ChatRequest) -> ModelAPI { apis.api(for: request) }

    private static func credential(
        of model: ModelConfiguration, rule: CredentialRule, _ credentials: CredentialStore
    ) throws(GenerationError) -> CredentialStore.Entry? {
        func fixed(_ method: AuthConfiguration.Method) -> CredentialStore.Entry {
            let auth = AuthConfiguration(name: model.name, method: method)
            return CredentialStore.Entry(credential: Credential(auth, environment: [:]))
        }
        if let name = model.auth, let entry = credentials.entry(named: name) { return entry }
        if let key = model.apiKey { return fixed(.apiKey(key)) }
        if let token = Environment.first(rule.tokenVariables) { return fixed(.static(Secret(token))) }
        if let key = Environment.first(rule.keyVariables) { return fixed(.apiKey(Secret(key))) }
        // A simulator or a local server may need none.
        if rule.usesGoogleDefault {
            guard model.apiBase == nil || credentials.hasGoogleFile else { return nil }
            return CredentialStore.Entry(credential: credentials.googleDefault())
        }
        guard model.apiBase == nil else { return nil }
        let variable = (rule.keyVariables + rule.tokenVariables).first.map { "the environment variable \($0), or " }
        throw GenerationError(
            .authentication,
            "\(model.name): no credential: set \(variable ?? "")'api_key' or 'auth' in the model's config")
    }

    /// The headers and secrets of a request with `token`; built once per token.
    func identity(_ token: AccessToken?) -> Result<Identity, GenerationError> {
        // 0 means no token or a fixed key; a model never has both.
        let generation = token?.generation ?? 0
        if let known = known.withLock({ $0 }), known.generation == generation { return .success(known.identity) }
        var headers = plainHeaders
        if let token {
            let isSet = headers.contains { $0.name.lowercased() == credentialHeader.name.lowercased() }
            if !isSet { headers.append((credentialHeader.name, credentialHeader.prefix + token.value.reveal())) }
            if let project = token.quotaProject { headers.append(("x-goog-user-project", project)) }
        }
        do {
            let secrets = SecretSet(token: token?.value, headers: configuration.extraHeaders)
            let made = Identity(headers: try HTTPHeaders(headers), secrets: secrets)
            known.withLock { $0 = (generation, made) }
            return .success(made)
        } catch {
            return .failure(GenerationError(.invalidRequest, "\(name): \(error)"))
        }
    }

    /// The body with the section's `extra_body` applied.
    func body(_ writer: JSONWriter) -> [UInt8] { patch?.apply(to: writer.bytes) ?? writer.bytes }

    /// The body with the section's `extra_body` and the caller's `extra_json` applied.
    func body(_ writer: JSONWriter, of request: PreparedRequest) -> [UInt8] {
        let body = body(writer)
        return request.extraBody?.apply(to: body) ?? body
    }
}

extension HTTPTimeouts {
    /// The timeouts of a section.
    init(_ timeouts: TimeoutsConfiguration) {
        self.init(
            connect: timeouts.connect, firstByte: timeouts.firstToken, idle: timeouts.idle, total: timeouts.total)
    }
}
