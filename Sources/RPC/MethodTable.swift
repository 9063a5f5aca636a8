/// An RPC method of a server, with its handler.
package struct Method: Sendable {
    /// Handles one call; called on the call's loop. The payload holds the bytes of the request message and is valid
    /// until the handler returns. The handler must end the call exactly once, immediately or later.
    package typealias Handler = @Sendable (Call, UnsafeRawBufferPointer) -> Void

    /// The fully qualified service name, for example `genwire.v1.Generation`.
    package let service: String
    /// The method name without the service, for example `Chat`.
    package let name: String
    /// Whether the response is a stream of messages.
    package let isServerStreaming: Bool
    /// Whether a caller on the network may call it before it is authenticated, because it authenticates the caller.
    package let isOpen: Bool
    /// Whether the method keeps nothing of its request. Such a call is accepted even if requests in progress hold all
    /// the memory they may hold, so that a caller can still inspect and cancel them.
    package let isLight: Bool
    let handler: Handler

    /// Creates a unary method by default; `handler` is called on the call's loop.
    package init(
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

/// All methods of a server. Looks them up by the bytes of their names, without creating a string.
package struct MethodTable: Sendable {
    private var buckets: [UInt64: [Method]] = [:]

    /// Creates a table of `methods`; a later one replaces an earlier one with the same service and name.
    package init(_ methods: [Method]) {
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

    /// The FNV-1a hash of `service/method`.
    @inline(__always)
    private static func hash(_ service: some Sequence<UInt8>, _ method: some Sequence<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in service { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash = (hash ^ 0x2F) &* 0x100_0000_01B3
        for byte in method { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return hash
    }
}
