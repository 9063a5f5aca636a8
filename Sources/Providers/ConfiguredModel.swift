public import Config
public import Generation
internal import HTTPClient
internal import JSON

/// A model as configured: everything about it that does not change from request to request. Shared by all loops.
public final class ConfiguredModel: Sendable {
    /// The name to ask for: the configuration's, `default`, or `provider/model_name`.
    public let name: String
    /// The provider's name.
    public var providerName: String { provider.name }
    /// The vendor's name of the model.
    public var modelName: String { configuration.modelName }
    /// What it can do, in the words of `ListModels`.
    public var capabilityNames: [String] { capabilities.subtracting(doubtful).names }
    /// Its section of the configuration.
    public let configuration: ModelConfiguration

    let provider: Provider
    let capabilities: Capabilities
    let doubtful: Capabilities
    let endpoints: Endpoints
    let headers: HTTPHeaders
    let timeouts: HTTPTimeouts
    /// Gemini's safety settings as JSON text.
    let safetySettings: String?
    private let patch: BodyPatch?
    private let credential: Secret?

    /// Prepares the model of one section.
    /// - Throws: `GenerationError`: `.authentication` where the credential is missing (it names the key and the
    ///   environment variable), `.unsupported` or `.invalidRequest` where the section cannot work.
    public init(_ model: ModelConfiguration, in configuration: Configuration) throws(GenerationError) {
        guard let provider = ProviderRegistry.provider(named: model.provider) else {
            throw GenerationError(
                .unsupported,
                "\(model.name): there is no provider '\(model.provider)'; there are: "
                    + ProviderRegistry.names.joined(separator: ", "))
        }
        name = model.name
        self.provider = provider
        self.configuration = model
        capabilities = provider.capabilities(model)
        doubtful = provider.doubtful(model)
        endpoints = try provider.endpoints(model)
        patch = try BodyPatch(model.extraBody)
        safetySettings = model.safetySettings?.jsonText()
        timeouts = HTTPTimeouts(
            connect: model.timeouts.connect, firstByte: model.timeouts.firstToken, idle: model.timeouts.idle,
            total: model.timeouts.total)
        let auth = model.auth.flatMap { configuration.auth[$0] }
        let found = try Self.credential(of: model, auth: auth, provider: provider)
        credential = found?.secret
        var headers: [(name: String, value: String)] = [("Content-Type", "application/json")]
        if let found {
            let rule = found.isKey ? provider.credential.keyHeader : ("Authorization", "Bearer ")
            headers.append((auth?.header ?? rule.0, (auth?.prefix ?? rule.1) + found.secret.reveal()))
        }
        headers += provider.headers(model)
        for (name, value) in model.extraHeaders.sorted(by: { $0.key < $1.key }) {
            headers.removeAll { $0.name.lowercased() == name.lowercased() }
            headers.append((name, value))
        }
        do {
            self.headers = try HTTPHeaders(headers)
        } catch {
            throw GenerationError(.invalidRequest, "\(model.name): \(error)")
        }
    }

    private static func credential(
        of model: ModelConfiguration, auth: AuthConfiguration?, provider: Provider
    ) throws(GenerationError) -> (secret: Secret, isKey: Bool)? {
        switch auth?.method {
        case .static(let token): return (token, false)
        case .apiKey(let key): return (key, true)
        case nil: break
        default:
            throw GenerationError(
                .unsupported,
                "\(model.name): credentials of type '\(auth?.kind.rawValue ?? "")' are not part of this version; use "
                    + "'api_key', or an auth section of type 'api_key' or 'static'")
        }
        let rule = provider.credential
        if let key = model.apiKey { return (key, true) }
        if let token = Environment.first(rule.tokenVariables) { return (Secret(token), false) }
        if let key = Environment.first(rule.keyVariables) { return (Secret(key), true) }
        // A local server may well want none.
        guard model.apiBase == nil else { return nil }
        let variable = (rule.keyVariables + rule.tokenVariables).first.map { "the environment variable \($0), or " }
        throw GenerationError(
            .authentication,
            "\(model.name): no credential: set \(variable ?? "")'api_key' or 'auth' in the model's config")
    }

    /// A body as it is sent: with the section's `extra_body`.
    func body(_ writer: JSONWriter) -> [UInt8] { patch?.apply(to: writer.bytes) ?? writer.bytes }

    /// The credential as it is sent. For callers of the in-process API only; nothing prints or logs it.
    public var token: String? { credential?.reveal() }

    /// Takes this model's secrets out of a text that may come back to a caller or go into a log: vendors echo keys.
    func scrub(_ text: String) -> String {
        var text = text
        if let key = credential?.reveal(), key.count >= 4 { text = text.replacing(key, with: "<secret>") }
        for value in configuration.extraHeaders.values where value.count >= 8 {
            text = text.replacing(value, with: "<secret>")
        }
        return Scrubber.scrub(text)
    }
}
