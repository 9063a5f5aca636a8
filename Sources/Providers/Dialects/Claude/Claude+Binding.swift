internal import Generation
internal import JSON

extension Claude {
    /// The model and conversation to which a response's thinking blocks belong. Since Claude 5.5, the blocks are valid
    /// only for the model and in the conversation that they are from. Stored as `of` in an entry of `provider_state`.
    struct Origin {
        private let model: String
        private let isBound: Bool
        private let start: Int

        /// The origin of a response of `model` in a conversation that begins with `first`.
        init(_ model: ConfiguredModel, first: Message?) {
            self.model = model.modelName
            isBound = model.facts.thinkingIsBound
            start = isBound ? Self.fingerprint(first) : 0
        }

        /// Decodes the origin from `provider_state`; `nil` if it has none because an older version made it.
        /// - Throws: `.invalidRequest` if the caller has changed the state.
        init?(_ bytes: [UInt8], parser: JSONParser) throws(GenerationError) {
            let content = try ProviderState.content(bytes, family: Claude.family, parser: parser)
            guard let mark = content?.first?["of"] else { return nil }
            model = mark["model"]?.string ?? ""
            isBound = mark["bound"]?.bool ?? false
            start = mark["start"]?.int ?? 0
        }

        /// Whether the blocks may be valid in a request to `model`.
        /// - Parameter start: the fingerprint of the message that the request's conversation begins with.
        func fits(_ model: ConfiguredModel, start: () -> Int) -> Bool {
            if self.model != model.modelName { return !isBound && !model.facts.thinkingIsBound }
            return !isBound || self.start == start()
        }

        /// Adds this origin to `state`.
        func mark(_ state: [UInt8]) -> [UInt8] {
            let beginning = Array("{\"\(Claude.family)\":[".utf8)
            guard state.starts(with: beginning) else { return state }
            var writer = JSONWriter(capacity: 128)
            writer.beginObject()
            writer.key("of")
            writer.beginObject()
            writer.member("model", model)
            writer.key("bound")
            writer.bool(isBound)
            writer.member("start", start)
            writer.endObject()
            writer.endObject()
            return beginning + writer.bytes + [UInt8(ascii: ",")] + state[beginning.count...]
        }

        /// Maximum number of bytes of each text and file that are hashed.
        private static let maximumHashed = 64 << 10

        /// FNV-1a of a message's content, the same in every process.
        static func fingerprint(_ message: Message?) -> Int {
            var hash: UInt64 = 0xCBF2_9CE4_8422_2325
            func add(_ bytes: some Collection<UInt8>) {
                for byte in bytes.prefix(maximumHashed) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
                // Distinguishes "ab", "c" from "a", "bc".
                hash = (hash ^ UInt64(bytes.count)) &* 0x100_0000_01B3
            }
            func add(_ source: MediaSource) {
                switch source {
                case .data(let bytes): add(bytes)
                case .url(let url): add(url.utf8)
                }
            }
            guard let message else { return 0 }
            add(message.content.utf8)
            for part in message.parts {
                switch part.content {
                case .text(let text): add(text.utf8)
                case .image(let image): add(image.source)
                case .file(let file): add(file.source)
                case .audio(let audio): add(audio.source)
                }
            }
            return Int(hash >> 1)
        }
    }

    func bound(_ state: [UInt8], to request: ChatRequest, at model: ConfiguredModel) -> [UInt8] {
        state.isEmpty ? state : Origin(model, first: request.firstMessage).mark(state)
    }

    func refusesThinking(_ error: GenerationError) -> Bool {
        guard error.httpStatus == 400, error.kind == .invalidRequest else { return false }
        let words = error.message.lowercased()
        return words.contains("thinking")
            && ["bound to a different", "invalid `signature`", "invalid signature", "cannot be modified"]
                .contains { words.contains($0) }
    }
}

extension ChatRequest {
    /// The first message that is not a system message.
    var firstMessage: Message? { messages.first { $0.role != .system } }
}
