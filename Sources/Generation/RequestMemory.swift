extension ChatRequest {
    /// Approximate memory use of this request in bytes, for the limits on requests in progress.
    package var memoryBytes: Int {
        var sum = MemoryLayout<ChatRequest>.stride + model.heapBytes + options.heapBytes
        for message in messages { sum += message.memoryBytes }
        for tool in tools {
            sum += MemoryLayout<Tool>.stride + tool.name.heapBytes + tool.description.heapBytes
            sum += tool.parametersJSON.heapBytes
            if let builtin = tool.builtin { sum += builtin.type.heapBytes + builtin.configJSON.heapBytes }
        }
        return sum
    }
}

extension EmbedRequest {
    /// Approximate memory use of this request in bytes, for the limits on requests in progress.
    package var memoryBytes: Int {
        inputs.reduce(MemoryLayout<EmbedRequest>.stride + model.heapBytes + inputType.heapBytes) {
            $0 + MemoryLayout<String>.stride + $1.heapBytes
        }
    }
}

extension GenerationOptions {
    fileprivate var heapBytes: Int {
        var sum = 0
        for text in [user, promptCacheKey, cachedContent, serviceTier, verbosity, extraJSON] { sum += text.heapBytes }
        if case .jsonSchema(let schema, _, _) = responseFormat { sum += schema.heapBytes }
        for text in stop { sum += MemoryLayout<String>.stride + text.heapBytes }
        return sum
    }
}

extension Message {
    fileprivate var memoryBytes: Int {
        var sum = MemoryLayout<Message>.stride + providerState.heapBytes
        for text in [content, toolCallID, name, reasoning] { sum += text.heapBytes }
        for part in parts {
            sum += MemoryLayout<Part>.stride
            switch part.content {
            case .text(let text): sum += text.heapBytes
            case .image(let image): sum += image.source.heapBytes
            case .file(let file): sum += file.source.heapBytes + file.name.heapBytes
            case .audio(let audio): sum += audio.source.heapBytes
            }
        }
        for call in toolCalls {
            sum += MemoryLayout<ToolCall>.stride + call.id.heapBytes + call.name.heapBytes
            sum += call.argumentsJSON.heapBytes + call.providerState.heapBytes
        }
        return sum
    }
}

extension MediaSource {
    fileprivate var heapBytes: Int {
        switch self {
        case .data(let bytes): bytes.heapBytes
        case .url(let url): url.heapBytes
        }
    }
}

/// Overhead of the allocator and the runtime per allocation, in bytes.
private let allocationOverhead = 48

extension String {
    /// Strings of up to 15 bytes are stored inline.
    fileprivate var heapBytes: Int { utf8.count > 15 ? utf8.count + allocationOverhead : 0 }
}

extension [UInt8] {
    fileprivate var heapBytes: Int { isEmpty ? 0 : count + allocationOverhead }
}
