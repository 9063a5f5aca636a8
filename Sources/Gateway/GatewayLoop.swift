internal import Providers

/// What all calls on one loop share of the gateway. Belongs to that loop; made by `Gateway.join`.
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

    /// Has the observers write out what they hold back.
    package func flush() {
        for observer in observers { observer.flush() }
    }
}
