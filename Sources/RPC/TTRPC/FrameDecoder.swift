/// Splits a byte stream into frames.
///
/// Complete frames are passed on in place. Only a frame that is split over several reads is copied, and its buffer
/// grows with the bytes actually received, never with the length that the header claims.
struct FrameDecoder {
    /// An event that the decoder reports to its owner.
    enum Event {
        /// A complete frame. The data is valid only during the callback.
        case frame(FrameHeader, UnsafeRawBufferPointer)
        /// A frame over the limit. Reported once its data has been skipped.
        case oversize(FrameHeader)
    }

    private let maximumLength: Int
    private var partial: [UInt8] = []
    private var skipping: FrameHeader?
    private var skipRemaining = 0
    /// Whether the frame being skipped was dropped by `abandonPartial`, so that it is not reported.
    private var abandoned = false

    init(maximumLength: Int) { self.maximumLength = maximumLength }

    /// Whether the decoder has received part of a frame.
    var isMidFrame: Bool { !partial.isEmpty || skipping != nil }
    /// Buffered bytes of the incomplete frame.
    var partialCount: Int { partial.count }
    /// The data length of the incomplete frame, in bytes; `nil` until its header is complete.
    var partialLength: Int? {
        partial.count < FrameHeader.size ? nil : partial.withUnsafeBytes { FrameHeader(reading: $0) }.length
    }
    /// The bytes missing from the incomplete frame, if its header is complete.
    var missingCount: Int {
        if skipping != nil { return skipRemaining }
        return partialLength.map { FrameHeader.size + $0 - partial.count } ?? 0
    }

    /// Drops the incomplete frame: discards its buffered bytes and skips the rest. Returns its header; `nil` if the
    /// header is not complete yet.
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

    /// Decodes the next bytes and reports each complete frame. The callback returns whether to continue; after `false`
    /// the remaining bytes are dropped, so the connection must be closed.
    /// - Parameter limit: called once per frame; returns the maximum data length in bytes, which may change with the
    ///   frames before it.
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

    /// Handles the frame at the start of `bytes`. Returns the bytes used, 0 if the frame is incomplete, `nil` to stop.
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
        // Moved out first, so that the decoder is in its next state during the callback.
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

    /// Returns the header of a frame being skipped if it is so large that the connection should be closed instead.
    func hopelessFrame(beyond limit: Int) -> FrameHeader? {
        guard let skipping, !abandoned, skipping.length > limit else { return nil }
        return skipping
    }
}
