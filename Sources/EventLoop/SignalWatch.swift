internal import Dispatch
internal import Glibc

/// Calls a handler for signals, one at a time, on a queue of its own, for as long as it is held.
public final class SignalWatch {
    private let sources: [any DispatchSourceSignal]

    /// Watches `numbers` from the moment at which this returns; until then each has the action that it had, so that none
    /// is lost in between. Blocks for the moment that it takes.
    public init(_ numbers: [Int32], _ handler: @escaping @Sendable (Int32) -> Void) {
        let queue = DispatchQueue(label: "genwire-signals")
        let registered = DispatchSemaphore(value: 0)
        sources = numbers.map { number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { handler(number) }
            // Dispatch registers a source on a thread of its own, some time after it was activated.
            source.setRegistrationHandler { registered.signal() }
            source.activate()
            return source
        }
        for _ in numbers { registered.wait() }
        for number in numbers {
            // On Linux the registration has replaced the default action by Dispatch's own handler, which must stay.
            // Elsewhere Dispatch only watches, and the default action would still end the process.
            var action = sigaction()
            if sigaction(number, nil, &action) == 0, action.__sigaction_handler.sa_handler == nil {
                signal(number, SIG_IGN)
            }
        }
    }

    deinit { for source in sources { source.cancel() } }
}
