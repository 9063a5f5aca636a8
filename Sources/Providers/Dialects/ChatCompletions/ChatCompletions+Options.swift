internal import Config

extension ChatCompletions {
    /// The field that limits the response's length.
    enum MaxTokensParameter: String, Sendable, CaseIterable {
        /// The older name, which every server accepts.
        case maxTokens = "max_tokens"
        /// The name that reasoning models require.
        case maxCompletionTokens = "max_completion_tokens"
        /// Chosen by the catalogue.
        case auto
    }

    /// The role that system messages get.
    enum SystemRole: String, Sendable, CaseIterable {
        /// The older name.
        case system
        /// The name that reasoning models require.
        case developer
    }

    /// The dialect's keys of a model's section.
    struct Options: Sendable {
        var maxTokensParameter = MaxTokensParameter.auto
        var systemRole = SystemRole.system
        /// Whether a streaming request asks for usage.
        var streamUsage = true
    }

    /// The keys of every provider with this dialect.
    static let keys = [maxTokensParameter.declaration, systemRole.declaration, streamUsage.declaration]

    static let maxTokensParameter = ProviderKey<MaxTokensParameter>(
        "max_tokens_parameter", .choice, default: "`auto`",
        "The field that limits the response's length; `auto` chooses by what is known of the model.")
    static let systemRole = ProviderKey<SystemRole>(
        "system_role", .choice, default: "`system`", "The role of system messages.")
    static let streamUsage = ProviderKey<Bool>(
        "stream_usage", .boolean, default: "`true`", isConnection: true,
        "Whether a stream asks for its usage, which some servers refuse.")

    func configured(by model: ModelConfiguration) -> ChatCompletions {
        var dialect = self
        dialect.options.maxTokensParameter = model[Self.maxTokensParameter] ?? options.maxTokensParameter
        dialect.options.systemRole = model[Self.systemRole] ?? options.systemRole
        dialect.options.streamUsage = model[Self.streamUsage] ?? options.streamUsage
        return dialect
    }
}
