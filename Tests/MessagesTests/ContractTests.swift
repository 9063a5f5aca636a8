import CGenwireProto
import CProtobufC
import Generation
import Testing

@testable import Messages

/// Checks every field of the contract, from the descriptors that protobuf-c generates: none may be lost between the
/// wire and a value, or between a message and the fields that a visitor receives.
@Suite struct ContractTests {
    private static var messages: [UnsafePointer<ProtobufCMessageDescriptor>] {
        (0...).lazy.map { gw_message_descriptor($0) }.prefix { $0 != nil }.compactMap { $0 }
    }

    /// The values, one for each message that is decoded or encoded as a whole.
    private static var values: [any WireValue.Type] {
        [
            ChatCall.self, GenerateCall.self, ChatResponse.self, GeneratedText.self, StreamedChunk.self,
            GenerationError.self, TokenQuestion.self, TokenCount.self, ModelList.self, AuthQuestion.self,
            AuthReports.self, HealthQuestion.self, HealthReport.self, UsageReports.self, ServerInfo.self,
            Cancellation.self, CancellationOutcome.self, ModelQuestion.self, EmbedCall.self, EmbedResponse.self,
        ]
    }

    /// Messages without a value type: those without fields, those decoded in place, and those of RPCs not served yet.
    private static let withoutValue: Set<String> = [
        "GetUsageRequest", "HelloRequest", "PingRequest", "PingResponse", "BatchRequest",
        "BatchItem", "BatchResult", "AnswerRequest", "Document", "KeyValue",
    ]

    /// No oneof of the contract has more members.
    private static let choices = 0..<5

    @Test func everyFieldIsTold() {
        #expect(Self.messages.count > 40)
        for descriptor in Self.messages {
            for choice in Self.choices {
                let filler = Filler(choice: choice)
                let (message, expected) = filler.message(descriptor)
                var teller = Teller()
                teller.beginObject()
                MessageFields.describe(message, to: &teller)
                teller.endObject()
                #expect(teller.value == expected, "\(String(cString: descriptor.pointee.name)), choice \(choice)")
            }
        }
    }

    @Test(arguments: values.indices)
    func everyFieldSurvivesReadingAndWriting(_ index: Int) throws {
        try check(Self.values[index])
    }

    private func check<V: WireValue>(_ type: V.Type) throws {
        let coder = MessageCoder()
        for choice in Self.choices {
            let filler = Filler(choice: choice)
            let (message, expected) = filler.message(MessageCoder.descriptor(V.initialise))
            let bytes = coder.packed(message.assumingMemoryBound(to: ProtobufCMessage.self))
            let value = try bytes.withUnsafeBytes { try coder.read(V.self, $0) }
            var teller = Teller()
            teller.beginObject()
            coder.describe(fieldsOf: value, to: &teller)
            teller.endObject()
            #expect(teller.value == expected, "\(type), choice \(choice)")
            let again = coder.bytes(value)
            #expect(again == bytes, "\(type), choice \(choice)")
        }
    }

    /// A new message must be decoded and encoded, or be listed as an exception.
    @Test func everyMessageHasAValue() {
        var reached: Set<String> = []
        func reach(_ descriptor: UnsafePointer<ProtobufCMessageDescriptor>) {
            guard reached.insert(String(cString: descriptor.pointee.short_name)).inserted else { return }
            for field in Filler.fields(of: descriptor) where field.type == PROTOBUF_C_TYPE_MESSAGE {
                reach(field.descriptor.assumingMemoryBound(to: ProtobufCMessageDescriptor.self))
            }
        }
        func descriptor<V: WireValue>(_ type: V.Type) -> UnsafePointer<ProtobufCMessageDescriptor> {
            MessageCoder.descriptor(V.initialise)
        }
        for type in Self.values { reach(descriptor(type)) }
        let all = Set(Self.messages.map { String(cString: $0.pointee.short_name) })
        #expect(all.subtracting(reached) == Self.withoutValue)
    }

    /// The contract's messages nest far less deeply than a visit may.
    @Test func messagesDoNotNestDeep() {
        func depth(_ descriptor: UnsafePointer<ProtobufCMessageDescriptor>, _ above: Int) -> Int {
            guard above < MessageFields.maximumDepth else { return above }
            return Filler.fields(of: descriptor).filter { $0.type == PROTOBUF_C_TYPE_MESSAGE }.map {
                depth($0.descriptor.assumingMemoryBound(to: ProtobufCMessageDescriptor.self), above + 1)
            }.max() ?? above
        }
        for descriptor in Self.messages { #expect(depth(descriptor, 1) <= MessageFields.maximumDepth / 4) }
    }

    // MARK: - Visited fields

    private func told(_ body: (MessageCoder, inout Teller) -> Void) -> Told {
        var teller = Teller()
        teller.beginObject()
        body(MessageCoder(), &teller)
        teller.endObject()
        return teller.value
    }

    @Test func defaultsAreToldAndWhatIsAbsentIsNot() {
        let text = told { coder, teller in
            coder.describe(StreamedChunk(seq: 0, content: .event(.text(""))), to: &teller)
        }
        #expect(text == .object([Member("seq", .number("0")), Member("text", .string(""))]))
        let count = told { coder, teller in coder.describeTokenCount(0, source: .absent, to: &teller) }
        #expect(count == .object([Member("input_tokens", .number("0")), Member("source", .string("ABSENT"))]))
        let answer = told { coder, teller in coder.describe(ChatResponse.empty, to: &teller) }
        guard case .object(let members) = answer else { return }
        #expect(members.contains(Member("warnings", .array([]))))
        // The cache was not used, so its message is absent.
        #expect(!members.contains { $0.name == "cache" })
    }

    @Test func textIsTextAndBytesAreBytes() {
        let delta = ToolCallDelta(
            index: 0, id: "i\u{0}\u{1F600}", name: "", argumentsJSONDelta: "", providerState: [0xFF])
        let chunk = told { coder, teller in
            coder.describe(StreamedChunk(seq: 1, content: .event(.toolCall(delta))), to: &teller)
        }
        guard case .object(let members) = chunk, case .object(let call)? = members.last?.value else {
            Issue.record("\(chunk)")
            return
        }
        #expect(call.contains(Member("id", .string("i\u{0}\u{1F600}"))))
        #expect(call.contains(Member("provider_state", .data([0xFF]))))
    }

    @Test func enumsHaveTheContractsNames() {
        #expect(
            FinishReason.allCases.map(\.contractName) == [
                "FINISH_STOP", "FINISH_LENGTH", "FINISH_TOOL_CALLS", "FINISH_CONTENT_FILTER", "FINISH_REFUSAL",
                "FINISH_OTHER",
            ])
        #expect(MessageFields.name(99, in: gw__finish_reason__descriptor) == nil)
        // A value that only a newer contract defines is visited by its number.
        var usage = Gw__Usage()
        gw__usage__init(&usage)
        usage.source = Gw__Usage__Source(rawValue: 99)
        var teller = Teller()
        teller.beginObject()
        withUnsafeMutablePointer(to: &usage) { MessageFields.describe($0, to: &teller) }
        teller.endObject()
        guard case .object(let members) = teller.value else { return }
        #expect(members.contains(Member("source", .number("99"))))
    }

    /// The number of messages in a response is bounded, so visiting a hostile one is bounded as well.
    @Test func hostileAnswersAreBounded() {
        // Two million empty attempts in 4 MiB.
        let bomb = Array(String(repeating: "\u{4A}\0", count: 2 << 20).utf8)
        #expect(throws: MessageError.self) {
            try bomb.withUnsafeBytes { _ = try MessageCoder().chatResponse($0) }
        }
    }
}

// MARK: - Helpers

/// A field's name and value.
struct Member: Equatable {
    let name: String
    let value: Told

    init(_ name: String, _ value: Told) {
        self.name = name
        self.value = value
    }
}

/// A value as a visitor receives it.
indirect enum Told: Equatable {
    case object([Member])
    case array([Told])
    case string(String)
    case data([UInt8])
    case number(String)
    case bool(Bool)
}

/// A visitor that records its calls.
struct Teller: MessageVisitor {
    private enum Open {
        case object([Member])
        case array([Told])
    }
    private var open: [Open] = []
    private var keys: [String] = []
    private(set) var value = Told.array([])

    mutating func beginObject() { open.append(.object([])) }
    mutating func beginArray() { open.append(.array([])) }
    mutating func endObject() { close() }
    mutating func endArray() { close() }
    mutating func key(_ name: String) { keys.append(name) }
    mutating func string(_ text: String) { add(.string(text)) }
    mutating func data(_ bytes: [UInt8]) { add(.data(bytes)) }
    mutating func int(_ value: some BinaryInteger) { add(.number(String(value))) }
    mutating func double(_ value: Double) { add(.number("\(value)")) }
    mutating func bool(_ value: Bool) { add(.bool(value)) }

    private mutating func close() {
        switch open.removeLast() {
        case .object(let members): add(.object(members))
        case .array(let elements): add(.array(elements))
        }
    }

    private mutating func add(_ told: Told) {
        switch open.popLast() {
        case nil: value = told
        case .array(let elements): open.append(.array(elements + [told]))
        case .object(let members): open.append(.object(members + [Member(keys.removeLast(), told)]))
        }
    }
}

/// Builds messages in which every field differs from its default, and describes their contents. Of each oneof,
/// `choice` selects the member that is set.
final class Filler {
    private let choice: Int
    private var blocks: [UnsafeMutableRawPointer] = []
    private var count = 0

    init(choice: Int) { self.choice = choice }

    deinit { for block in blocks { block.deallocate() } }

    static func fields(
        of descriptor: UnsafePointer<ProtobufCMessageDescriptor>
    ) -> UnsafeBufferPointer<ProtobufCFieldDescriptor> {
        UnsafeBufferPointer(start: descriptor.pointee.fields, count: Int(descriptor.pointee.n_fields))
    }

    func message(
        _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>
    ) -> (UnsafeMutableRawPointer, Told) {
        let memory = allocate(descriptor.pointee.sizeof_message)
        descriptor.pointee.message_init(memory.assumingMemoryBound(to: ProtobufCMessage.self))
        var members: [Member] = []
        let fields = Self.fields(of: descriptor)
        let isOneof = { (field: ProtobufCFieldDescriptor) in
            field.flags & UInt32(PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue) != 0
        }
        for field in fields {
            let place = memory + Int(field.offset)
            if isOneof(field) {
                let rivals = fields.filter { isOneof($0) && $0.quantifier_offset == field.quantifier_offset }
                guard rivals[choice % rivals.count].id == field.id else { continue }
                memory.storeBytes(of: field.id, toByteOffset: Int(field.quantifier_offset), as: UInt32.self)
            }
            let value: Told
            if field.label == PROTOBUF_C_LABEL_REPEATED {
                let size =
                    switch field.type {
                    case PROTOBUF_C_TYPE_BYTES: MemoryLayout<ProtobufCBinaryData>.stride
                    case PROTOBUF_C_TYPE_FLOAT: MemoryLayout<Float>.stride
                    default: 8
                    }
                let array = allocate(2 * size)
                memory.storeBytes(of: 2, toByteOffset: Int(field.quantifier_offset), as: Int.self)
                place.storeBytes(of: array, as: UnsafeMutableRawPointer.self)
                value = .array((0..<2).map { set(array + $0 * size, field, descriptor) })
            } else {
                value = set(place, field, descriptor)
            }
            members.append(Member(String(cString: field.name), value))
        }
        return (memory, .object(members))
    }

    private func set(
        _ place: UnsafeMutableRawPointer, _ field: ProtobufCFieldDescriptor,
        _ message: UnsafePointer<ProtobufCMessageDescriptor>
    ) -> Told {
        count += 1
        switch field.type {
        case PROTOBUF_C_TYPE_INT32, PROTOBUF_C_TYPE_UINT32: place.storeBytes(of: Int32(count), as: Int32.self)
        case PROTOBUF_C_TYPE_INT64, PROTOBUF_C_TYPE_UINT64: place.storeBytes(of: Int64(count), as: Int64.self)
        case PROTOBUF_C_TYPE_FLOAT:
            place.storeBytes(of: Float(count) + 0.5, as: Float.self)
            return .number("\(Double(count) + 0.5)")
        case PROTOBUF_C_TYPE_DOUBLE:
            place.storeBytes(of: Double(count) + 0.5, as: Double.self)
            return .number("\(Double(count) + 0.5)")
        case PROTOBUF_C_TYPE_BOOL:
            place.storeBytes(of: 1, as: protobuf_c_boolean.self)
            return .bool(true)
        case PROTOBUF_C_TYPE_ENUM:
            let descriptor = field.descriptor.assumingMemoryBound(to: ProtobufCEnumDescriptor.self)
            let last = descriptor.pointee.values[Int(descriptor.pointee.n_values) - 1]
            place.storeBytes(of: Int32(last.value), as: Int32.self)
            return .string(String(cString: last.name))
        case PROTOBUF_C_TYPE_MESSAGE:
            let (inner, told) = self.message(field.descriptor.assumingMemoryBound(to: ProtobufCMessageDescriptor.self))
            place.storeBytes(of: inner, as: UnsafeMutableRawPointer.self)
            return told
        case PROTOBUF_C_TYPE_BYTES:
            if gw_field_is_bytes(message, field.id) != 0 {
                let bytes: [UInt8] = [0xFF, 0, UInt8(truncatingIfNeeded: count)]
                store(bytes, at: place)
                return .data(bytes)
            }
            let words = ["kind": "TIMEOUT", "timeout_phase": "idle"]
            let name = String(cString: field.name)
            let text = words[name] ?? "\(name)-\(count)"
            store(Array(text.utf8), at: place)
            return .string(text)
        default: Issue.record("the contract has a type that this test does not know")
        }
        return .number(String(count))
    }

    private func store(_ bytes: [UInt8], at place: UnsafeMutableRawPointer) {
        let memory = allocate(bytes.count)
        memory.copyMemory(from: bytes, byteCount: bytes.count)
        place.storeBytes(
            of: ProtobufCBinaryData(len: bytes.count, data: memory.assumingMemoryBound(to: UInt8.self)),
            as: ProtobufCBinaryData.self)
    }

    private func allocate(_ size: Int) -> UnsafeMutableRawPointer {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        blocks.append(memory)
        return memory
    }
}
