internal import Dispatch
internal import Glibc

/// Calls a handler for signals, one at a time, on a private queue, as long as the instance is retained.
package final class SignalWatch {
    private let sources: [any DispatchSourceSignal]

    /// Watches the signals `numbers`. Blocks briefly until Dispatch watches them; until then each signal keeps its
    /// previous action, so no signal is lost.
    package init(_ numbers: [Int32], _ handler: @escaping @Sendable (Int32) -> Void) {
        let queue = DispatchQueue(label: "genwire-signals")
        let registered = DispatchSemaphore(value: 0)
        sources = numbers.map { number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { handler(number) }
            // Dispatch registers a source on another thread, some time after its activation.
            source.setRegistrationHandler { registered.signal() }
            source.activate()
            return source
        }
        for _ in numbers { registered.wait() }
        for number in numbers {
            // On Linux the registration has replaced the default action with Dispatch's handler, which must stay.
            // Elsewhere Dispatch only watches, and the default action would still terminate the process.
            var action = sigaction()
            if sigaction(number, nil, &action) == 0, action.__sigaction_handler.sa_handler == nil {
                signal(number, SIG_IGN)
            }
        }
    }

    deinit { for source in sources { source.cancel() } }
}
