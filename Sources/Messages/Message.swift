internal import CGenwireProto
internal import CProtobufC
package import Generation

extension Message: MappedValue {
    static var empty: Message { Message(role: .assistant) }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__Message>) { gw__message__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__Message>, _ value: inout Message
    ) throws(P.Failure) {
        try pass.choice(
            &wire.pointee.role, &value.role,
            problem: "messages.role is missing or unknown; use ROLE_SYSTEM, ROLE_USER, ROLE_ASSISTANT or ROLE_TOOL")
        try pass.text(&wire.pointee.content, &value.content, "messages.content")
        try pass.list(&wire.pointee.n_parts, &wire.pointee.parts, &value.parts)
        try pass.list(&wire.pointee.n_tool_calls, &wire.pointee.tool_calls, &value.toolCalls)
        try pass.text(
            &wire.pointee.tool_call_id, &value.toolCallID, "messages.tool_call_id", atMost: RequestBounds.id)
        try pass.text(&wire.pointee.name, &value.name, "messages.name", atMost: RequestBounds.name)
        try pass.text(&wire.pointee.reasoning, &value.reasoning, "messages.reasoning")
        pass.bytes(&wire.pointee.provider_state, &value.providerState)
    }
}

extension FieldPass {
    /// The messages of a request, which are counted before any of them is read.
    func conversation(
        _ count: inout Int, _ wire: inout UnsafeMutablePointer<UnsafeMutablePointer<Gw__Message>?>?,
        _ messages: inout [Message]
    ) throws(Failure) {
        try check { () throws(MessageError) in
            try RequestBounds.check(count, of: "messages", atMost: RequestBounds.messages)
            var (parts, calls) = (0, 0)
            for message in UnsafeBufferPointer(start: wire, count: wire == nil ? 0 : count) {
                parts += message?.pointee.n_parts ?? 0
                try RequestBounds.check(parts, of: "messages.parts", atMost: RequestBounds.parts)
                calls += message?.pointee.n_tool_calls ?? 0
                try RequestBounds.check(calls, of: "messages.tool_calls", atMost: RequestBounds.toolCalls)
            }
        }
        try list(&count, &wire, &messages)
    }
}

extension Role: WireEnum {
    var wire: Gw__Role {
        switch self {
        case .system: GW__ROLE__ROLE_SYSTEM
        case .user: GW__ROLE__ROLE_USER
        case .assistant: GW__ROLE__ROLE_ASSISTANT
        case .tool: GW__ROLE__ROLE_TOOL
        }
    }
}

extension ToolCall: MappedValue {
    static var empty: ToolCall { ToolCall(id: "", name: "", argumentsJSON: "") }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__ToolCall>) { gw__tool_call__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__ToolCall>, _ value: inout ToolCall
    ) throws(P.Failure) {
        try pass.text(&wire.pointee.id, &value.id, "tool_calls.id", atMost: RequestBounds.id)
        try pass.text(&wire.pointee.name, &value.name, "tool_calls.name", atMost: RequestBounds.name)
        try pass.text(&wire.pointee.arguments_json, &value.argumentsJSON, "tool_calls.arguments_json")
        pass.bytes(&wire.pointee.provider_state, &value.providerState)
    }
}

extension MessageCoder {
    /// Tells `visitor` the fields of a `ToolCall`.
    package func describe(_ call: ToolCall, to visitor: inout some MessageVisitor) {
        describe(fieldsOf: call, to: &visitor)
    }
}

// A oneof's members share their memory, so only the one that is there may be touched.

extension Part: WireValue {
    static func initialise(_ wire: UnsafeMutablePointer<Gw__Part>) { gw__part__init(wire) }

    static func read(_ wire: UnsafeMutablePointer<Gw__Part>, _ reader: Reader) throws(MessageError) -> Part {
        switch wire.pointee.kind_case {
        case GW__PART__KIND_TEXT: .text(try wire.pointee.text.text("parts.text"))
        case GW__PART__KIND_IMAGE: .image(try Image.read(wire.pointee.image, reader))
        case GW__PART__KIND_FILE: .file(try File.read(wire.pointee.file, reader))
        default: throw MessageError("a part is empty")
        }
    }

    func write(_ wire: UnsafeMutablePointer<Gw__Part>, _ writer: Writer) {
        switch self {
        case .text(let text):
            wire.pointee.kind_case = GW__PART__KIND_TEXT
            wire.pointee.text = writer.arena.bytes(text)
        case .image(let image):
            wire.pointee.kind_case = GW__PART__KIND_IMAGE
            wire.pointee.image = writer.message(of: image)
        case .file(let file):
            wire.pointee.kind_case = GW__PART__KIND_FILE
            wire.pointee.file = writer.message(of: file)
        }
    }
}

extension Image: WireValue {
    static func initialise(_ wire: UnsafeMutablePointer<Gw__Image>) { gw__image__init(wire) }

    static func read(_ wire: UnsafeMutablePointer<Gw__Image>, _ reader: Reader) throws(MessageError) -> Image {
        let source: MediaSource =
            switch wire.pointee.source_case {
            case GW__IMAGE__SOURCE_DATA: .data(wire.pointee.data.array)
            case GW__IMAGE__SOURCE_URL: .url(try wire.pointee.url.text("parts.image.url"))
            default: throw MessageError("parts.image has neither data nor url")
            }
        return Image(
            mimeType: try wire.pointee.mime_type.text("parts.image.mime_type", atMost: RequestBounds.name),
            source: source, detail: try wire.pointee.detail.text("parts.image.detail", atMost: RequestBounds.name))
    }

    func write(_ wire: UnsafeMutablePointer<Gw__Image>, _ writer: Writer) {
        wire.pointee.mime_type = writer.arena.bytes(mimeType)
        wire.pointee.detail = writer.arena.bytes(detail)
        switch source {
        case .data(let data):
            wire.pointee.source_case = GW__IMAGE__SOURCE_DATA
            wire.pointee.data = writer.arena.bytes(data)
        case .url(let url):
            wire.pointee.source_case = GW__IMAGE__SOURCE_URL
            wire.pointee.url = writer.arena.bytes(url)
        }
    }
}

extension File: WireValue {
    static func initialise(_ wire: UnsafeMutablePointer<Gw__File>) { gw__file__init(wire) }

    static func read(_ wire: UnsafeMutablePointer<Gw__File>, _ reader: Reader) throws(MessageError) -> File {
        let source: MediaSource =
            switch wire.pointee.source_case {
            case GW__FILE__SOURCE_DATA: .data(wire.pointee.data.array)
            case GW__FILE__SOURCE_URL: .url(try wire.pointee.url.text("parts.file.url"))
            default: throw MessageError("parts.file has neither data nor url")
            }
        return File(
            mimeType: try wire.pointee.mime_type.text("parts.file.mime_type", atMost: RequestBounds.name),
            name: try wire.pointee.name.text("parts.file.name", atMost: RequestBounds.id), source: source)
    }

    func write(_ wire: UnsafeMutablePointer<Gw__File>, _ writer: Writer) {
        wire.pointee.mime_type = writer.arena.bytes(mimeType)
        wire.pointee.name = writer.arena.bytes(name)
        switch source {
        case .data(let data):
            wire.pointee.source_case = GW__FILE__SOURCE_DATA
            wire.pointee.data = writer.arena.bytes(data)
        case .url(let url):
            wire.pointee.source_case = GW__FILE__SOURCE_URL
            wire.pointee.url = writer.arena.bytes(url)
        }
    }
}
