internal import CGenwireProto
internal import CProtobufC
public import Generation

/// One message of a streamed response, as a client receives it.
public struct StreamedChunk: Sendable, Equatable {
    /// The content of a message.
    public enum Content: Sendable, Equatable {
        /// A part of the response.
        case event(ChunkEvent)
        /// The end of a successful stream, with the number of chunks before it.
        case completed(AnswerTrailer, chunkCount: UInt64)
    }
    /// The message's sequence number, from 0 without gaps.
    public var seq: UInt64
    /// The message's content.
    public var content: Content
}

extension StreamedChunk: WireValue {
    static func initialise(_ wire: UnsafeMutablePointer<Gw__ChatChunk>) { gw__chat_chunk__init(wire) }

    static func read(_ wire: UnsafeMutablePointer<Gw__ChatChunk>, _ reader: Reader) throws(MessageError)
        -> StreamedChunk
    {
        let content: Content =
            switch wire.pointee.event_case {
            case GW__CHAT_CHUNK__EVENT_TEXT: .event(.text(try wire.pointee.text.text("text")))
            case GW__CHAT_CHUNK__EVENT_REASONING: .event(.reasoning(try wire.pointee.reasoning.text("reasoning")))
            case GW__CHAT_CHUNK__EVENT_TOOL_CALL:
                .event(.toolCall(try ToolCallDelta.read(wire.pointee.tool_call, reader)))
            case GW__CHAT_CHUNK__EVENT_PART: .event(.part(try Part.read(wire.pointee.part, reader)))
            case GW__CHAT_CHUNK__EVENT_COMPLETED: try Completed.read(wire.pointee.completed, reader).content
            default: throw MessageError("the chunk has no content")
            }
        return StreamedChunk(seq: wire.pointee.seq, content: content)
    }

    func write(_ wire: UnsafeMutablePointer<Gw__ChatChunk>, _ writer: Writer) {
        wire.pointee.seq = seq
        switch content {
        case .event(let event): Self.write(event, wire, writer)
        case .completed(let completion, let count):
            wire.pointee.event_case = GW__CHAT_CHUNK__EVENT_COMPLETED
            wire.pointee.completed = writer.message(of: Completed(completion: completion, chunkCount: count))
        }
    }

    fileprivate static func write(
        _ event: ChunkEvent, _ wire: UnsafeMutablePointer<Gw__ChatChunk>, _ writer: Writer
    ) {
        switch event {
        case .text(let text):
            wire.pointee.event_case = GW__CHAT_CHUNK__EVENT_TEXT
            wire.pointee.text = writer.arena.bytes(text)
        case .reasoning(let text):
            wire.pointee.event_case = GW__CHAT_CHUNK__EVENT_REASONING
            wire.pointee.reasoning = writer.arena.bytes(text)
        case .toolCall(let delta):
            wire.pointee.event_case = GW__CHAT_CHUNK__EVENT_TOOL_CALL
            wire.pointee.tool_call = writer.message(of: delta)
        case .part(let part):
            wire.pointee.event_case = GW__CHAT_CHUNK__EVENT_PART
            wire.pointee.part = writer.message(of: part)
        }
    }
}

extension ToolCallDelta: MappedValue {
    static var empty: ToolCallDelta { ToolCallDelta(index: 0, id: "", name: "", argumentsJSONDelta: "") }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__ToolCallDelta>) { gw__tool_call_delta__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__ToolCallDelta>, _ value: inout ToolCallDelta
    ) throws(P.Failure) {
        pass.number(&wire.pointee.index, &value.index)
        try pass.text(&wire.pointee.id, &value.id, "tool_call.id")
        try pass.text(&wire.pointee.name, &value.name, "tool_call.name")
        try pass.text(
            &wire.pointee.arguments_json_delta, &value.argumentsJSONDelta, "tool_call.arguments_json_delta")
        pass.bytes(&wire.pointee.provider_state, &value.providerState)
    }
}

/// The last message of a successful stream.
private struct Completed: MappedValue {
    var completion: AnswerTrailer
    var chunkCount: UInt64

    static var empty: Completed { Completed(completion: AnswerTrailer(), chunkCount: 0) }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__Completed>) { gw__completed__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__Completed>, _ value: inout Completed
    ) throws(P.Failure) {
        try pass.completion(wire, &value.completion)
        pass.number(&wire.pointee.chunk_count, &value.chunkCount)
        pass.bytes(&wire.pointee.provider_state, &value.completion.providerState)
    }

    var content: StreamedChunk.Content { .completed(completion, chunkCount: chunkCount) }
}

extension MessageCoder {
    /// Decodes a `ChatChunk`.
    /// - Throws: `MessageError` if the bytes are malformed.
    public func chatChunk(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> StreamedChunk {
        try read(StreamedChunk.self, bytes)
    }

    /// Encodes a `ChatChunk` with content. Called for every chunk of a stream: it makes one pass over the text.
    public func encode<R>(_ event: ChunkEvent, seq: UInt64, into body: PackedMessage<R>) -> R {
        arena.reset()
        let wire = arena.message(Gw__ChatChunk.self) { gw__chat_chunk__init($0) }
        wire.pointee.seq = seq
        StreamedChunk.write(event, wire, Writer(arena: arena))
        return pack(wire, body)
    }

    /// Encodes the `ChatChunk` that ends a successful stream.
    public func encode<R>(
        _ completion: AnswerTrailer, seq: UInt64, chunkCount: UInt64, into body: PackedMessage<R>
    ) -> R {
        pack(StreamedChunk(seq: seq, content: .completed(completion, chunkCount: chunkCount)), body)
    }

    /// Describes to `visitor` the fields of a `ChatChunk`.
    package func describe(_ chunk: StreamedChunk, to visitor: inout some MessageVisitor) {
        describe(fieldsOf: chunk, to: &visitor)
    }
}
