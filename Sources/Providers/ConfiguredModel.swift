public import Config
public import Generation
internal import Glibc
internal import HTTPClient

/// A model as configured: everything about it that does not change from request to request. Shared by all loops.
public final class ConfiguredModel: Sendable {
    /// The name to ask for: the configuration's, `default`, or `provider/model_name`.
    public let name: String
    /// The provider's name.
    public var providerName: String { provider.name }
    /// The vendor's name of the model.
    public var modelName: String { configuration.modelName }
    /// What it can do.
    public var capabilities: [String] { provider.capabilities }
    /// Its section of the configuration.
    public let configuration: ModelConfiguration

    let provider: Provider
    let chatURL: String
    let modelsURL: String
    let headers: HTTPHeaders
    let timeouts: HTTPTimeouts
    /// Whether the address is the vendor's own, and not a server that merely speaks its language.
    let isVendorsOwn: Bool
    private let credential: Secret?

    /// Prepares the model of one section.
    /// - Throws: `GenerationError`: `.authentication` where the credential is missing (it names the key and the
    ///   environment variable), `.unsupported` or `.invalidRequest` where the section cannot work.
    public init(_ model: ModelConfiguration, in configuration: Configuration) throws(GenerationError) {
        guard let provider = ProviderRegistry.provider(named: model.provider) else {
            throw GenerationError(
                .unsupported,
                "\(model.name): the provider '\(model.provider)' is not part of this version; there are: "
                    + ProviderRegistry.names.joined(separator: ", "))
        }
        name = model.name
        self.provider = provider
        self.configuration = model
        let base = model.apiBase ?? provider.base
        isVendorsOwn = base == provider.base
        chatURL = base + "/chat/completions"
        modelsURL = base + "/models"
        timeouts = HTTPTimeouts(
            connect: model.timeouts.connect, firstByte: model.timeouts.firstToken, idle: model.timeouts.idle,
            total: model.timeouts.total)
        let auth = model.auth.flatMap { configuration.auth[$0] }
        credential = try Self.credential(of: model, auth: auth, provider: provider, isVendorsOwn: isVendorsOwn)
        var headers: [(name: String, value: String)] = [("Content-Type", "application/json")]
        if let credential {
            headers.append((auth?.header ?? "Authorization", (auth?.prefix ?? "Bearer ") + credential.reveal()))
        }
        if let organization = model.organization { headers.append(("OpenAI-Organization", organization)) }
        if let project = model.project { headers.append(("OpenAI-Project", project)) }
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
        of model: ModelConfiguration, auth: AuthConfiguration?, provider: Provider, isVendorsOwn: Bool
    ) throws(GenerationError) -> Secret? {
        switch auth?.method {
        case .static(let secret), .apiKey(let secret): return secret
        case nil: break
        default:
            throw GenerationError(
                .unsupported,
                "\(model.name): credentials of type '\(auth?.kind.rawValue ?? "")' are not part of this version; use "
                    + "'api_key', or an auth section of type 'api_key' or 'static'")
        }
        if let key = model.apiKey { return key }
        if let key = getenv(provider.keyVariable), key.pointee != 0 { return Secret(String(cString: key)) }
        // A local server may well want none.
        guard isVendorsOwn else { return nil }
        throw GenerationError(
            .authentication,
            "\(model.name): no credential: set the environment variable \(provider.keyVariable), or 'api_key' in the "
                + "model's config")
    }

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
