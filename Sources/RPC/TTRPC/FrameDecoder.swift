/// Cuts a byte stream into frames.
///
/// Whole frames are handed out in place; only a frame that is split over reads is copied, and its buffer grows with
/// the bytes that really arrive, never with the length that a header claims.
struct FrameDecoder {
    /// What the decoder tells its owner.
    enum Event {
        /// A whole frame. The data is valid during the callback only.
        case frame(FrameHeader, UnsafeRawBufferPointer)
        /// A frame over the limit; its data was or will be skipped. Reported when the skipping is done.
        case oversize(FrameHeader)
    }

    private let maximumLength: Int
    private var partial: [UInt8] = []
    private var skipping: FrameHeader?
    private var skipRemaining = 0
    /// Whether the frame that is being skipped was reported by `abandonPartial`.
    private var abandoned = false

    init(maximumLength: Int) { self.maximumLength = maximumLength }

    /// Whether a frame has begun and not ended.
    var isMidFrame: Bool { !partial.isEmpty || skipping != nil }
    /// Bytes that are kept of a frame that has begun.
    var partialCount: Int { partial.count }
    /// The data of a frame that has begun, in bytes; `nil` where its header is not here yet.
    var partialLength: Int? {
        partial.count < FrameHeader.size ? nil : partial.withUnsafeBytes { FrameHeader(reading: $0) }.length
    }
    /// Bytes that are missing of a frame whose header is here.
    var missingCount: Int {
        if skipping != nil { return skipRemaining }
        return partialLength.map { FrameHeader.size + $0 - partial.count } ?? 0
    }

    /// Gives up the frame that has begun: what is kept of it is dropped and the rest is skipped. Returns its header;
    /// `nil` where that is not here yet.
    mutating func abandonPartial() -> FrameHeader? {
        guard partial.count >= FrameHeader.size else { return nil }
        let header = partial.withUnsafeBytes { FrameHeader(reading: $0) }
        let missing = missingCount
        partial = []
        abandoned = true
        skipping = header
        skipRemaining = missing
        return header
    }

    /// Takes the next bytes and reports what they complete. The callback answers whether to go on; bytes after a
    /// `false` are dropped, so `false` means that the connection is over.
    /// - Parameter limit: asked once per frame for the most data that it may have, in bytes; what the frames before it
    ///   did may change the answer.
    mutating func consume(
        _ bytes: UnsafeRawBufferPointer, limit: () -> Int = { .max }, _ body: (Event) -> Bool
    ) {
        var rest = bytes
        while !rest.isEmpty {
            if let header = skipping {
                let taken = min(skipRemaining, rest.count)
                skipRemaining -= taken
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(taken))
                guard skipRemaining == 0 else { return }
                skipping = nil
                if abandoned {
                    abandoned = false
                } else {
                    guard body(.oversize(header)) else { return }
                }
            } else if partial.isEmpty {
                guard let used = takeWhole(rest, limit, body) else { return }
                if used == 0 {
                    partial.append(contentsOf: rest)
                    return
                }
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(used))
            } else {
                guard let used = completePartial(rest, limit, body) else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(used))
            }
        }
    }

    /// Handles the frame at the head of `bytes` where it is whole; returns the bytes used, 0 where it is not whole,
    /// `nil` to stop.
    @inline(__always)
    private mutating func takeWhole(
        _ bytes: UnsafeRawBufferPointer, _ limit: () -> Int, _ body: (Event) -> Bool
    ) -> Int? {
        guard bytes.count >= FrameHeader.size else { return 0 }
        let header = FrameHeader(reading: bytes)
        guard header.length <= min(maximumLength, limit()) else {
            beginSkip(header)
            return FrameHeader.size
        }
        let end = FrameHeader.size + header.length
        guard bytes.count >= end else { return 0 }
        return body(.frame(header, UnsafeRawBufferPointer(rebasing: bytes[FrameHeader.size..<end]))) ? end : nil
    }

    private mutating func completePartial(
        _ bytes: UnsafeRawBufferPointer, _ limit: () -> Int, _ body: (Event) -> Bool
    ) -> Int? {
        var used = 0
        if partial.count < FrameHeader.size {
            used = min(FrameHeader.size - partial.count, bytes.count)
            partial.append(contentsOf: bytes.prefix(used))
            guard partial.count == FrameHeader.size else { return used }
        }
        let header = partial.withUnsafeBytes { FrameHeader(reading: $0) }
        guard header.length <= min(maximumLength, limit()) else {
            partial = []
            beginSkip(header)
            return used
        }
        let missing = FrameHeader.size + header.length - partial.count
        let taken = min(missing, bytes.count - used)
        partial.append(contentsOf: bytes[used..<(used + taken)])
        used += taken
        guard taken == missing else { return used }
        // Moved out first, so that the callback finds the decoder in its next state.
        let whole = partial
        partial = []
        let goOn = whole.withUnsafeBytes {
            body(.frame(header, UnsafeRawBufferPointer(rebasing: $0.dropFirst(FrameHeader.size))))
        }
        return goOn ? used : nil
    }

    private mutating func beginSkip(_ header: FrameHeader) {
        skipping = header
        skipRemaining = header.length
    }

    /// A frame that is being skipped and so large that waiting for its end would serve nobody.
    func hopelessFrame(beyond limit: Int) -> FrameHeader? {
        guard let skipping, !abandoned, skipping.length > limit else { return nil }
        return skipping
    }
}
