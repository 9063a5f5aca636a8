internal import Glibc

/// Bytes that must not leak: an API key, a password, a token. Printing, interpolating or dumping one gives `<secret>`;
/// it cannot be encoded; comparing two takes a time that depends on their lengths only; its memory is overwritten when
/// the last copy is released.
public struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let storage: Storage

    /// A secret of some bytes.
    public init(_ bytes: some Collection<UInt8>) {
        storage = Storage(bytes)
    }

    /// A secret of a text's UTF-8 bytes.
    public init(_ text: String) {
        self.init(text.utf8)
    }

    /// The length in bytes.
    public var count: Int { storage.bytes.count }

    /// Whether the value is empty.
    public var isEmpty: Bool { count == 0 }

    /// Lends the bytes to `body`; the pointer must not outlive the call.
    public func withUnsafeBytes<T, E>(_ body: (UnsafeRawBufferPointer) throws(E) -> T) throws(E) -> T {
        try body(UnsafeRawBufferPointer(storage.bytes))
    }

    /// The secret as plain text, for the one place that needs it, such as a header. The text is an ordinary `String`:
    /// nothing overwrites it, so let it go soon and never log it.
    public func reveal() -> String {
        String(decoding: storage.bytes, as: UTF8.self)
    }

    /// Whether the secret equals `other`, in a time that depends only on the length of `other`.
    public func matches(_ other: UnsafeRawBufferPointer) -> Bool {
        guard !isEmpty else { return other.isEmpty }
        var difference = UInt(bitPattern: count ^ other.count)
        for index in 0..<other.count { difference |= UInt(storage.bytes[index % count] ^ other[index]) }
        return difference == 0
    }

    /// Whether both are the same, in a time that depends only on the length of `right`.
    public static func == (left: Secret, right: Secret) -> Bool {
        right.withUnsafeBytes { left.matches($0) }
    }

    /// `<secret>`.
    public var description: String { "<secret>" }
    /// `<secret>`.
    public var debugDescription: String { "<secret>" }
    /// `<secret>` without children.
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// The owner of the bytes. Unchecked because of the pointer: the bytes are written in `init` only and released in
    /// `deinit` only, so that all threads may read them.
    private final class Storage: @unchecked Sendable {
        let bytes: UnsafeMutableBufferPointer<UInt8>

        init(_ source: some Collection<UInt8>) {
            bytes = .allocate(capacity: source.count)
            _ = bytes.initialize(from: source)
        }

        deinit {
            // Unlike memset, which a compiler drops before a release.
            if let start = bytes.baseAddress { explicit_bzero(start, bytes.count) }
            bytes.deallocate()
        }
    }
}

/// Why a secret could not be obtained. Never contains a part of the secret.
public struct SecretError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong and what to do.
    public let description: String
    /// An error with its explanation.
    public init(_ description: String) { self.description = description }
}
