import Config
import Generation
import Providers
import Testing

@testable import Gateway

@Suite struct UsageLedgerTests {
    private let catalog: Catalog

    init() throws {
        let text = "generation: {provider: openai, config: {model_name: vendor-name, api_key: k}}"
        catalog = try Catalog(
            Configuration.parse(
                Array(text.utf8), file: "f", environment: [:], knownProviders: ProviderRegistry.names))
    }

    @Test func rowsHaveTheConfiguredName() throws {
        let ledger = UsageLedger()
        ledger.record(try catalog.resolve("")[0], usage: Usage(), .succeeded, nanoseconds: 2_000_000_000)
        #expect(ledger.snapshot().map(\.key.model) == ["default"])
        #expect(ledger.snapshot()[0].row.averageLatencySeconds == 2)
    }

    @Test func namesOfCallersNeverTakeTheRowOfAConfiguredModel() throws {
        let ledger = UsageLedger()
        for index in 0..<1100 {
            ledger.record(try catalog.resolve("openai/junk\(index)")[0], usage: Usage(), .failed, nanoseconds: 1)
        }
        ledger.record(try catalog.resolve("")[0], usage: Usage(), .succeeded, nanoseconds: 1)
        ledger.record(try catalog.resolve("openai/junk3")[0], usage: Usage(), .failed, nanoseconds: 1)
        let rows = Dictionary(uniqueKeysWithValues: ledger.snapshot().map { ($0.key.model, $0.row) })
        #expect(rows.count == UsageLedger.dynamicCapacity + 2)
        #expect(rows["default"]?.successfulRequests == 1)
        #expect(rows["openai/junk3"]?.requests == 2)
        #expect(rows[UsageLedger.others]?.requests == Int64(1100 - UsageLedger.dynamicCapacity))
    }

    @Test func cancelledRequestsAreNoFailures() throws {
        let ledger = UsageLedger()
        let model = try catalog.resolve("")[0]
        for outcome in [UsageLedger.Outcome.succeeded, .failed, .cancelled, .cancelled] {
            ledger.record(model, usage: Usage(), outcome, nanoseconds: 1)
        }
        let row = ledger.snapshot()[0].row
        #expect(row.requests == 4 && row.failedRequests == 1 && row.cancelledRequests == 2)
        #expect(row.errorRate == 0.5)
    }
}
