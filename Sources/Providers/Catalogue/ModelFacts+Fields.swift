internal import Encodings
internal import JSON

extension ModelFacts {
    /// Facts as stated in a file; `null` removes the value of a lower layer.
    typealias Stated = [String: JSONValue]

    /// The definition of one fact.
    struct Field: Sendable {
        /// A description of valid values, for errors.
        let expected: String
        /// Stores a value; returns `false` if it is invalid.
        let store: @Sendable (inout ModelFacts, JSONValue) -> Bool
    }

    /// Creates facts from the values stated in files.
    /// - Throws: a `FieldError` for the first fact that is unknown or invalid.
    init(_ stated: Stated) throws(FieldError) {
        self.init()
        for (name, value) in stated where !value.isNull {
            guard let field = Self.fields[name] else {
                let hint = NearestName.hint(for: name, among: Self.fields.keys.sorted())
                throw FieldError(name: name, reason: "unknown fact" + hint)
            }
            guard field.store(&self, value) else {
                throw FieldError(name: name, reason: "must be \(field.expected)")
            }
        }
    }

    /// The error for a fact that is unknown or invalid.
    struct FieldError: Error {
        let name: String
        let reason: String
    }

    /// All facts that files may state, by name.
    static let fields: [String: Field] = [
        "kind": word(\.kind), "context_window": count(\.contextWindow), "max_output_tokens": count(\.maxOutputTokens),
        "default_max_tokens": count(\.defaultMaxTokens), "max_tokens_field": word(\.maxTokensField),
        "input": Field(expected: expected(Modality.self, isList: true)) { facts, value in
            guard let words: Set<Modality> = words(value) else { return false }
            facts.input = words
            return true
        },
        "output": set(\.output), "url_sources": flag(\.acceptsURLs), "prefill": flag(\.prefill),
        "mid_conversation_system": flag(\.midConversationSystem), "tools": flag(\.tools),
        "parallel_tool_calls": flag(\.parallelToolCalls), "forced_tools": flag(\.forcedTools),
        "chat_tools": word(\.chatTools), "json_schema": flag(\.jsonSchema), "json_object": flag(\.jsonObject),
        "schema_transform": word(\.schemaTransform), "endpoints": set(\.endpoints),
        "temperature": flag(\.temperature), "top_p": flag(\.topP), "top_k": flag(\.topK),
        "max_temperature": number(\.maxTemperature), "sampling": word(\.sampling),
        "temperature_with_top_p": flag(\.temperatureWithTopP), "stop": flag(\.stop), "seed": flag(\.seed),
        "penalties": flag(\.penalties), "reasoning": word(\.reasoning.control), "efforts": efforts(\.reasoning.efforts),
        "chat_efforts": efforts(\.reasoning.chatEfforts), "effort_words": effortWords,
        "default_effort": Field(expected: expected(Reasoning.Effort.self)) { facts, value in
            facts.reasoning.defaultEffort = value.string.flatMap { Reasoning.Effort(rawValue: $0) }
            return facts.reasoning.defaultEffort != nil
        },
        "always_thinks": flag(\.reasoning.isAlwaysOn),
        "thinking_off": Field(expected: "never or " + expected(Reasoning.Off.self)) { facts, value in
            facts.reasoning.off = value.string.flatMap { Reasoning.Off(rawValue: $0) }
            return facts.reasoning.off != nil || value.string == "never"
        },
        "budgets": Field(expected: "two numbers of tokens, the smaller first") { facts, value in
            guard let bounds = value.array?.compactMap(\.int), bounds.count == 2, 0 <= bounds[0],
                bounds[0] <= bounds[1], bounds[1] <= Int(Int32.max)
            else { return false }
            facts.reasoning.budgets = bounds[0]...bounds[1]
            return true
        },
        "accepts_budget": flag(\.reasoning.acceptsBudget), "reasoning_output": word(\.reasoningOutput),
        "reasoning_content_back": flag(\.sendsReasoningBack), "thinking_bound": flag(\.thinkingIsBound),
        "thought_signatures": flag(\.needsThoughtSignatures),
        "prompt_caching": Field(expected: "true or false") { facts, value in
            facts.promptCaching = value.bool
            return value.bool != nil
        },
        "prompt_cache_min_tokens": count(\.promptCacheMinTokens), "cache_breakpoints": flag(\.cacheBreakpoints),
        "embedding_method": word(\.embeddingMethod), "dimensions": count(\.dimensions),
        "settable_dimensions": flag(\.settableDimensions),
        "embedding_batch": Field(expected: "a number from 1 to 10000") { facts, value in
            guard let count = value.int, (1...10_000).contains(count) else { return false }
            facts.embeddingBatch = count
            return true
        },
        "embedding_batch_tokens": count(\.embeddingBatchTokens), "region": text(\.region),
        "api_version": text(\.apiVersion),
        "retires_on": Field(expected: "a day, YYYY-MM-DD") { facts, value in
            guard let day = value.string, Day(day) != nil else { return false }
            facts.retiresOn = day
            return true
        },
        "input_price": price(\.prices.input), "output_price": price(\.prices.output),
        "cached_input_price": price(\.prices.cachedInput), "cache_write_price": price(\.prices.cacheWrite),
    ]

    private static func efforts(_ path: any Path<[Reasoning.Effort]>) -> Field {
        Field(expected: expected(Reasoning.Effort.self, isList: true)) { facts, value in
            guard let efforts: Set<Reasoning.Effort> = words(value) else { return false }
            facts[keyPath: path] = efforts.sorted()
            return true
        }
    }

    private static let effortWords = Field(expected: "an object from efforts to the vendor's words") { facts, value in
        guard let members = value.members else { return false }
        for (name, value) in members {
            guard let effort = Reasoning.Effort(rawValue: name), let word = value.string, !word.isEmpty else {
                return false
            }
            facts.reasoning.words[effort] = word
        }
        return true
    }

    // MARK: - Types of facts

    private typealias Path<Value> = WritableKeyPath<ModelFacts, Value> & Sendable

    private static func flag(_ path: any Path<Bool>) -> Field {
        Field(expected: "true or false") { facts, value in
            guard let flag = value.bool else { return false }
            facts[keyPath: path] = flag
            return true
        }
    }

    private static func count(_ path: any Path<Int?>) -> Field {
        Field(expected: "a whole number from 1 to \(Int32.max)") { facts, value in
            guard let count = value.int, (1...Int(Int32.max)).contains(count) else { return false }
            facts[keyPath: path] = count
            return true
        }
    }

    private static func number(_ path: any Path<Double>) -> Field {
        Field(expected: "a number of 0 or more") { facts, value in
            guard let number = value.double, number >= 0 else { return false }
            facts[keyPath: path] = number
            return true
        }
    }

    private static func price(_ path: any Path<Double?>) -> Field {
        Field(expected: "US dollars per million tokens") { facts, value in
            guard let price = value.double, price >= 0 else { return false }
            facts[keyPath: path] = price
            return true
        }
    }

    private static func text(_ path: any Path<String?>) -> Field {
        Field(expected: "a word of letters, digits, '-', '_' and '.'") { facts, value in
            guard let text = value.string, !text.isEmpty, text.utf8.count <= 64,
                text.utf8.allSatisfy({ $0.isIdentifierByte })
            else { return false }
            facts[keyPath: path] = text
            return true
        }
    }

    private static func word<Word: RawRepresentable<String> & CaseIterable & Sendable>(
        _ path: any Path<Word>
    ) -> Field {
        Field(expected: expected(Word.self)) { facts, value in
            guard let word = value.string.flatMap({ Word(rawValue: $0) }) else { return false }
            facts[keyPath: path] = word
            return true
        }
    }

    private static func set<Word: RawRepresentable<String> & CaseIterable & Sendable & Hashable>(
        _ path: any Path<Set<Word>>
    ) -> Field {
        Field(expected: expected(Word.self, isList: true)) { facts, value in
            guard let set: Set<Word> = words(value) else { return false }
            facts[keyPath: path] = set
            return true
        }
    }

    private static func words<Word: RawRepresentable<String> & Hashable>(_ value: JSONValue) -> Set<Word>? {
        guard let elements = value.array, !elements.isEmpty else { return nil }
        let words = elements.compactMap { $0.string.flatMap { Word(rawValue: $0) } }
        return words.count == elements.count ? Set(words) : nil
    }

    private static func expected<Word: RawRepresentable<String> & CaseIterable>(
        _: Word.Type, isList: Bool = false
    ) -> String {
        let words = Word.allCases.map(\.rawValue).joined(separator: ", ")
        return (isList ? "a list of some of: " : "one of: ") + words
    }
}

extension UInt8 {
    fileprivate var isIdentifierByte: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
        default: false
        }
    }
}
