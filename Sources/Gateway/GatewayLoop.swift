internal import Providers

/// The gateway state of one loop, shared by its calls and confined to it. Created by `Gateway.join`.
package final class GatewayLoop {
    let upstream: any Upstream
    let scheduler: any Scheduler
    private let observers: [any Observer]
    private let number: Int
    private var calls: UInt64 = 0

    init(number: Int, upstream: any Upstream, scheduler: any Scheduler, observers: [any Observer]) {
        self.number = number
        self.upstream = upstream
        self.scheduler = scheduler
        self.observers = observers
    }

    func nextID() -> CallRecord.ID {
        calls += 1
        return CallRecord.ID(loop: number, number: calls)
    }

    func ended(_ record: borrowing CallRecord) {
        for observer in observers { observer.ended(record) }
    }

    /// Has the observers write their buffered data.
    package func flush() {
        for observer in observers { observer.flush() }
    }
}
