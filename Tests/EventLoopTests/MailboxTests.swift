import EventLoop
import Testing

@Suite struct MailboxTests {
    private struct Failed: Error, Equatable {}
    private typealias Box = Mailbox<Int, String, Failed>

    @Test func elementsComeInOrderAndThenTheEnd() async throws {
        let box = Box(capacity: 10) {}
        for number in 1...3 { #expect(box.push(number) == .more) }
        #expect(box.end == nil)
        box.finish(.success("good"))
        box.finish(.failure(Failed()))
        var taken: [Int] = []
        while let number = try await box.next(onCancel: {}) { taken.append(number) }
        #expect(taken == [1, 2, 3])
        #expect(try box.end?.get() == "good")
        #expect(try await box.next(onCancel: {}) == nil)
    }

    @Test func aFailureComesAfterWhatWaited() async throws {
        let box = Box(capacity: 10) {}
        _ = box.push(1)
        box.finish(.failure(Failed()))
        #expect(try await box.next(onCancel: {}) == 1)
        for _ in 0..<2 { await #expect(throws: Failed()) { try await box.next(onCancel: {}) } }
    }

    @Test func aFullMailboxPausesItsSenderUntilItIsEmpty() async throws {
        let resumed = Counter()
        let box = Box(capacity: 2) { resumed.increment() }
        #expect([box.push(1), box.push(2), box.push(3)] == [.more, .pause, .pause])
        for number in 1...2 {
            #expect(try await box.next(onCancel: {}) == number)
            #expect(resumed.value == 0)
        }
        #expect(try await box.next(onCancel: {}) == 3)
        #expect(resumed.value == 1)
        #expect(box.push(4) == .more)
    }

    @Test func aWaitingTaskWakesForAnElementAndForTheEnd() async throws {
        let box = Box(capacity: 10) {}
        let reader = Task { () -> [Int] in
            var taken: [Int] = []
            while let number = try await box.next(onCancel: {}) { taken.append(number) }
            return taken
        }
        for number in 0..<1000 {
            _ = box.push(number)
            if number % 100 == 0 { await Task.yield() }
        }
        box.finish(.success(""))
        #expect(try await reader.value == Array(0..<1000))
    }

    @Test func aCancelledTaskMayEndTheMailbox() async {
        let box = Box(capacity: 10) {}
        let reader = Task { try await box.next(onCancel: { box.finish(.failure(Failed())) }) }
        reader.cancel()
        await #expect(throws: Failed.self) { try await reader.value }
    }
}
