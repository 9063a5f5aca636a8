/// A function that the model may ask the caller to run.
public struct Tool: Sendable, Equatable {
    /// The name that calls carry.
    public var name: String
    /// What it does, for the model to decide when to call it.
    public var description: String
    /// A JSON Schema of the arguments, as JSON text; empty for a function without arguments.
    public var parametersJSON: String
    /// Whether the provider shall hold arguments strictly to the schema; `nil` for its default.
    public var strict: Bool?

    /// A tool declaration.
    public init(name: String, description: String = "", parametersJSON: String = "", strict: Bool? = nil) {
        self.name = name
        self.description = description
        self.parametersJSON = parametersJSON
        self.strict = strict
    }
}

/// One call that the model asks for.
public struct ToolCall: Sendable, Equatable {
    /// Ties the result to the call. Never empty and never repeated in one answer.
    public var id: String
    /// The tool's name.
    public var name: String
    /// The arguments as JSON text, as the model wrote them: they may break the schema, or not be JSON at all.
    public var argumentsJSON: String
    /// Bytes of the provider's own that must go back with this call unchanged.
    public var providerState: [UInt8]

    /// A tool call.
    public init(id: String, name: String, argumentsJSON: String, providerState: [UInt8] = []) {
        self.id = id
        self.name = name
        self.argumentsJSON = argumentsJSON
        self.providerState = providerState
    }
}

/// Whether the model may, must or must not call tools.
public enum ToolChoice: Sendable, Equatable {
    /// The model decides.
    case auto
    /// No calls.
    case none
    /// At least one call.
    case required
    /// A call of this tool.
    case named(String)
}
