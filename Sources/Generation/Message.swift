/// Who speaks in a conversation.
public enum Role: Sendable, Hashable, CaseIterable {
    /// Instructions to the model.
    case system
    /// The person or program that asks.
    case user
    /// The model.
    case assistant
    /// The result of a tool call.
    case tool
}

/// One turn of a conversation.
public struct Message: Sendable, Equatable {
    /// Who speaks.
    public var role: Role
    /// The text. Comes before `parts` where both are given.
    public var content: String
    /// Further content: text, images, files, in the order in which the model shall see them.
    public var parts: [Part]
    /// The calls that the assistant made in this turn.
    public var toolCalls: [ToolCall]
    /// Which call a tool message answers.
    public var toolCallID: String
    /// The name of the speaker, or of the tool that a tool message comes from.
    public var name: String
    /// The model's reasoning in an assistant message, where it was asked for.
    public var reasoning: String
    /// Bytes of the provider's own that must go back to it unchanged (thought signatures, thinking blocks).
    public var providerState: [UInt8]

    /// A message; everything but the role may be left out.
    public init(
        role: Role, content: String = "", parts: [Part] = [], toolCalls: [ToolCall] = [], toolCallID: String = "",
        name: String = "", reasoning: String = "", providerState: [UInt8] = []
    ) {
        self.role = role
        self.content = content
        self.parts = parts
        self.toolCalls = toolCalls
        self.toolCallID = toolCallID
        self.name = name
        self.reasoning = reasoning
        self.providerState = providerState
    }
}

/// A piece of a message's content.
public enum Part: Sendable, Equatable {
    /// Plain text.
    case text(String)
    /// A picture.
    case image(Image)
    /// A document.
    case file(File)
}

/// Where the bytes of an image or file are.
public enum MediaSource: Sendable, Equatable {
    /// The bytes themselves.
    case data([UInt8])
    /// An address that the provider fetches.
    case url(String)
}

/// A picture for the model to look at.
public struct Image: Sendable, Equatable {
    /// For example `image/png`. Needed with `data`.
    public var mimeType: String
    /// The bytes or their address.
    public var source: MediaSource
    /// How closely to look: `low`, `high`, `auto`; empty for the provider's default.
    public var detail: String

    /// An image from its bytes or address.
    public init(mimeType: String, source: MediaSource, detail: String = "") {
        self.mimeType = mimeType
        self.source = source
        self.detail = detail
    }
}

/// A document for the model to read.
public struct File: Sendable, Equatable {
    /// For example `application/pdf`. Needed with `data`.
    public var mimeType: String
    /// A file name, which some providers want.
    public var name: String
    /// The bytes or their address.
    public var source: MediaSource

    /// A file from its bytes or address.
    public init(mimeType: String, name: String = "", source: MediaSource) {
        self.mimeType = mimeType
        self.name = name
        self.source = source
    }
}
