/// What a descriptor's owner wants to hear about.
public struct Interest: OptionSet, Sendable, Hashable {
    /// The raw bits.
    public let rawValue: UInt8
    /// Makes a set from raw bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Data can be read, a connection accepted, or the peer has finished sending.
    public static let readable = Interest(rawValue: 1)
    /// The socket takes more bytes.
    public static let writable = Interest(rawValue: 2)
}

/// What a descriptor is ready for. Error and hang-up are reported even where nothing was asked for.
public struct Readiness: OptionSet, Sendable, Hashable {
    /// The raw bits.
    public let rawValue: UInt8
    /// Makes a set from raw bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Reading will not block.
    public static let readable = Readiness(rawValue: 1)
    /// Writing will not block.
    public static let writable = Readiness(rawValue: 2)
    /// Both directions are closed, or an error is pending: the next read or write tells which.
    public static let hangup = Readiness(rawValue: 4)
}

/// The owner of a registered descriptor. Called on the loop only.
public protocol ReadinessHandler: AnyObject {
    /// The descriptor is ready. Level-triggered: what is left unread is reported again.
    func ready(_ readiness: Readiness)
    /// The loop was shut down while the descriptor was registered; no more is reported. Does nothing by default.
    func loopStopped()
}

extension ReadinessHandler {
    /// Does nothing: the descriptor is another one's to close.
    public func loopStopped() {}
}

/// A descriptor's place in a loop. The generation tells a late event for an earlier owner of the same slot apart.
public struct Registration: Sendable, Hashable {
    let slot: UInt32
    let generation: UInt32

    var token: UInt64 { UInt64(generation) << 32 | UInt64(slot) }
}
