/// What a consumer answers to each piece it was handed. Backpressure is this return value, not a queue.
public enum Demand: Sendable {
    /// Hand over the next piece when it comes.
    case more
    /// The piece was taken, but hand over no more until told to resume.
    case pause
}
