/// One RPC that a server offers.
public struct Method: Sendable {
    /// Handles one call. The payload is the request message's bytes, valid until the handler returns. The handler
    /// must end the call, now or later, exactly once.
    public typealias Handler = @Sendable (Call, UnsafeRawBufferPointer) -> Void

    /// The full service name, such as `genwire.v1.Generation`.
    public let service: String
    /// The bare method name, such as `Chat`.
    public let name: String
    /// Whether the answer is a stream of messages.
    public let isServerStreaming: Bool
    /// Whether a caller on the network may call it before it has shown a token: the method in which it shows one.
    public let isOpen: Bool
    /// Whether it keeps nothing of its request: it is taken even where requests in progress have all the memory that they
    /// may have, so that a caller can look, and cancel.
    public let isLight: Bool
    let handler: Handler

    /// A method and its handler. The handler runs on the call's loop.
    public init(
        service: String, name: String, isServerStreaming: Bool = false, isOpen: Bool = false, isLight: Bool = false,
        handler: @escaping Handler
    ) {
        self.service = service
        self.name = name
        self.isServerStreaming = isServerStreaming
        self.isOpen = isOpen
        self.isLight = isLight
        self.handler = handler
    }
}

/// All methods of a server, found by the names' bytes without making a string.
public struct MethodTable: Sendable {
    private var buckets: [UInt64: [Method]] = [:]

    /// A table of `methods`; a later one replaces an earlier one of the same name.
    public init(_ methods: [Method]) {
        for method in methods {
            let hash = Self.hash(method.service.utf8, method.name.utf8)
            buckets[hash, default: []].removeAll { $0.service == method.service && $0.name == method.name }
            buckets[hash, default: []].append(method)
        }
    }

    func find(service: UnsafeRawBufferPointer, method: UnsafeRawBufferPointer) -> Method? {
        guard let bucket = buckets[Self.hash(service, method)] else { return nil }
        return bucket.first { $0.service.utf8.elementsEqual(service) && $0.name.utf8.elementsEqual(method) }
    }

    /// FNV-1a over both names.
    @inline(__always)
    private static func hash(_ service: some Sequence<UInt8>, _ method: some Sequence<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in service { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash = (hash ^ 0x2F) &* 0x100_0000_01B3
        for byte in method { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return hash
    }
}
