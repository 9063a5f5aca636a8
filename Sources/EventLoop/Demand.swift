/// A consumer's return value for each element it receives. It implements backpressure without a queue.
package enum Demand: Sendable {
    /// Deliver the next element as soon as it is available.
    case more
    /// The element was accepted; deliver no more until resumed.
    case pause
}
