/// One vendor: where it is, how it is spoken to, and what it can do. A value; the wire itself is the dialect's.
public struct Provider: Sendable {
    /// The name in configurations, such as `openai`.
    public let name: String
    /// What it can do, for `ListModels`.
    public let capabilities: [String]
    /// The wire family.
    let dialect: Dialect
    /// Scheme, host and version prefix, where `api_base` names no other.
    let base: String
    /// The environment variable that holds the key by custom.
    let keyVariable: String
}

/// The wire families, each shared by several vendors.
enum Dialect: Sendable {
    /// OpenAI's chat completions.
    case chatCompletions(ChatCompletions.Quirks)
}

/// Every provider there is: one line each.
public enum ProviderRegistry {
    /// The providers in the order in which they are listed.
    public static let all: [Provider] = [
        .openAI
    ]

    /// The providers' names.
    public static var names: [String] { all.map(\.name) }

    /// The provider of this name; `nil` where there is none.
    public static func provider(named name: String) -> Provider? { all.first { $0.name == name } }
}
