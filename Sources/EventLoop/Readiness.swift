/// The events that a descriptor's owner is interested in.
package struct Interest: OptionSet, Sendable, Hashable {
    /// The raw bits.
    package let rawValue: UInt8
    /// Makes a set from raw bits.
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Data can be read, a connection accepted, or the peer has finished sending.
    package static let readable = Interest(rawValue: 1)
    /// The socket accepts more bytes.
    package static let writable = Interest(rawValue: 2)
}

/// The events that a descriptor is ready for. Errors and hang-ups are reported regardless of the interest.
package struct Readiness: OptionSet, Sendable, Hashable {
    /// The raw bits.
    package let rawValue: UInt8
    /// Makes a set from raw bits.
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Reading will not block.
    package static let readable = Readiness(rawValue: 1)
    /// Writing will not block.
    package static let writable = Readiness(rawValue: 2)
    /// Both directions are closed, or an error is pending, which the next read or write returns.
    package static let hangup = Readiness(rawValue: 4)
}

/// The owner of a registered descriptor. Called on the loop.
package protocol ReadinessHandler: AnyObject {
    /// The descriptor is ready. Level-triggered: unread data is reported again.
    func ready(_ readiness: Readiness)
    /// The loop was shut down while the descriptor was registered; nothing more is reported. Does nothing by default.
    func loopStopped()
}

extension ReadinessHandler {
    /// Does nothing, for owners that close their descriptor elsewhere.
    package func loopStopped() {}
}

/// A descriptor's slot in a loop. The generation identifies late events for an earlier owner of the same slot.
package struct Registration: Sendable, Hashable {
    let slot: UInt32
    let generation: UInt32

    var token: UInt64 { UInt64(generation) << 32 | UInt64(slot) }
}
