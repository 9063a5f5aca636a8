import EventLoop
import Generation
import Providers
import Testing

@testable import Gateway

@Suite struct UsageLedgerTests {
    private let catalog: Catalog
    private let ledger = UsageLedger()

    init() throws {
        catalog = try makeCatalog("generation: {provider: openai, config: {model_name: vendor-name, api_key: k}}")
    }

    private func model(_ name: String = "") throws -> ConfiguredModel { try catalog.resolve(name)[0].model }

    @Test func rowsHaveTheConfiguredName() throws {
        LedgerPage(ledger).add(try model(), usage: Usage(), .succeeded, duration: .nanoseconds(2_000_000_000))
        #expect(ledger.snapshot().map(\.key.model) == ["default"])
        #expect(ledger.snapshot()[0].row.averageLatencySeconds == 2)
    }

    /// On any number of loops.
    @Test(arguments: [1, 3])
    func namesOfCallersNeverTakeTheRowOfAConfiguredModel(_ loops: Int) throws {
        let pages = (0..<loops).map { _ in LedgerPage(ledger) }
        for index in 0..<1100 {
            pages[index % loops].add(
                try model("openai/junk\(index)"), usage: Usage(), .failed, duration: .nanoseconds(1))
        }
        for page in pages {
            page.add(try model(), usage: Usage(), .succeeded, duration: .nanoseconds(1))
            page.add(try model("openai/junk3"), usage: Usage(), .failed, duration: .nanoseconds(1))
        }
        let rows = Dictionary(uniqueKeysWithValues: ledger.snapshot().map { ($0.key.model, $0.row) })
        #expect(rows.count == UsageLedger.dynamicCapacity + 2)
        #expect(rows["default"]?.successfulRequests == Int64(loops))
        #expect(rows["openai/junk3"]?.requests == Int64(1 + loops))
        #expect(rows[UsageLedger.others]?.requests == Int64(1100 - UsageLedger.dynamicCapacity))
    }

    @Test func loopsAddUp() throws {
        var usage = Usage()
        usage.inputTokens = 3
        usage.outputTokens = 5
        for outcome in [UsageLedger.Outcome.succeeded, .failed] {
            LedgerPage(ledger).add(try model(), usage: usage, outcome, duration: .nanoseconds(1_000_000_000))
        }
        let rows = ledger.snapshot()
        #expect(rows.count == 1)
        #expect(rows[0].row.requests == 2 && rows[0].row.inputTokens == 6 && rows[0].row.outputTokens == 10)
        #expect(rows[0].row.averageLatencySeconds == 1 && rows[0].row.errorRate == 0.5)
    }

    @Test func cancelledRequestsAreNoFailures() throws {
        let page = LedgerPage(ledger)
        for outcome in [UsageLedger.Outcome.succeeded, .failed, .cancelled, .cancelled] {
            page.add(try model(), usage: Usage(), outcome, duration: .nanoseconds(1))
        }
        let row = ledger.snapshot()[0].row
        #expect(row.requests == 4 && row.failedRequests == 1 && row.cancelledRequests == 2)
        #expect(row.errorRate == 0.5)
    }
}
