/// The author of a message.
public enum Role: Sendable, Hashable, CaseIterable {
    /// Instructions to the model.
    case system
    /// The user, a person or a program.
    case user
    /// The model.
    case assistant
    /// The result of a tool call.
    case tool
}

/// A message of a conversation.
public struct Message: Sendable, Equatable {
    /// The author.
    public var role: Role
    /// Text content. Precedes `parts` if both are set.
    public var content: String
    /// Further content, in the order in which it is presented to the model. In a response: the images that the model
    /// generated; all of its text is in `content`.
    public var parts: [Part]
    /// The tool calls of an assistant message. Empty for other roles.
    public var toolCalls: [ToolCall]
    /// The `ToolCall.id` to which a tool message is the result. Empty for other roles.
    public var toolCallID: String
    /// The author's name, or the tool's name in a tool message. Optional.
    public var name: String
    /// The reasoning of an assistant message, if `ReasoningOptions.include` was set.
    public var reasoning: String
    /// Opaque state of the provider (thought signatures, thinking blocks). Send it back unchanged with the message.
    public var providerState: [UInt8]
    /// Whether a tool message reports a failure. `false` for other roles.
    public var isError: Bool

    /// Creates a message, for example `Message(role: .user, content: "Hello")`.
    public init(
        role: Role, content: String = "", parts: [Part] = [], toolCalls: [ToolCall] = [], toolCallID: String = "",
        name: String = "", reasoning: String = "", providerState: [UInt8] = [], isError: Bool = false
    ) {
        self.role = role
        self.content = content
        self.parts = parts
        self.toolCalls = toolCalls
        self.toolCallID = toolCallID
        self.name = name
        self.reasoning = reasoning
        self.providerState = providerState
        self.isError = isError
    }
}

/// A piece of a message's content.
public struct Part: Sendable, Equatable {
    /// What a part contains.
    public enum Content: Sendable, Equatable {
        /// Plain text.
        case text(String)
        /// An image. Not every model accepts images.
        case image(Image)
        /// A document, for example a PDF file. Not every model accepts documents.
        case file(File)
        /// Sound. Not every model accepts it.
        case audio(Audio)
    }

    /// What it contains.
    public var content: Content
    /// Asks the provider to cache the prompt up to the end of this part; `nil` for no breakpoint.
    public var cacheBreakpoint: CacheBreakpoint?

    /// Creates a part.
    public init(_ content: Content, cacheBreakpoint: CacheBreakpoint? = nil) {
        self.content = content
        self.cacheBreakpoint = cacheBreakpoint
    }

    /// Plain text.
    public static func text(_ text: String) -> Part { Part(.text(text)) }
    /// An image.
    public static func image(_ image: Image) -> Part { Part(.image(image)) }
    /// A document.
    public static func file(_ file: File) -> Part { Part(.file(file)) }
    /// Sound.
    public static func audio(_ audio: Audio) -> Part { Part(.audio(audio)) }
}

/// A place in the prompt up to which the provider caches it.
public struct CacheBreakpoint: Sendable, Equatable {
    /// How long the provider keeps the cached prompt, in its terms, for example `5m` or `1h`; empty for its default.
    public var ttl: String

    /// Creates a breakpoint.
    public init(ttl: String = "") { self.ttl = ttl }
}

/// The source of the bytes of an image, a file or a sound.
public enum MediaSource: Sendable, Equatable {
    /// The bytes, sent with the request.
    case data([UInt8])
    /// A URL from which the provider fetches the bytes.
    case url(String)
}

/// An image in a message.
public struct Image: Sendable, Equatable {
    /// The MIME type, for example `image/png`. Required with `.data`.
    public var mimeType: String
    /// The bytes or their URL.
    public var source: MediaSource
    /// The resolution at which the model sees the image: `low`, `high`, `auto`; empty for the provider's default.
    public var detail: String

    /// Creates an image.
    public init(mimeType: String, source: MediaSource, detail: String = "") {
        self.mimeType = mimeType
        self.source = source
        self.detail = detail
    }
}

/// A document in a message.
public struct File: Sendable, Equatable {
    /// The MIME type, for example `application/pdf`. Required with `.data`.
    public var mimeType: String
    /// The file name, which some providers require; empty for none.
    public var name: String
    /// The bytes or their URL.
    public var source: MediaSource

    /// Creates a document.
    public init(mimeType: String, name: String = "", source: MediaSource) {
        self.mimeType = mimeType
        self.name = name
        self.source = source
    }
}

/// Speech or other sound in a message.
public struct Audio: Sendable, Equatable {
    /// The MIME type, for example `audio/wav`. Required with `.data`.
    public var mimeType: String
    /// The bytes or their URL.
    public var source: MediaSource

    /// Creates a sound.
    public init(mimeType: String, source: MediaSource) {
        self.mimeType = mimeType
        self.source = source
    }
}
