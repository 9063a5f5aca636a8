import EventLoop
import Generation
import Testing

@testable import GenwireClient

@Suite struct MailboxTests {
    private static let lost = ClientError(code: 14, message: "lost")

    @Test func everythingComesInOrderBeforeTheEnd() async throws {
        let mailbox = Mailbox<Int> {}
        for number in 0..<5 { #expect(mailbox.push(number) == .more) }
        mailbox.finish(.success(()))
        for number in 0..<5 { #expect(try await mailbox.next() == number) }
        #expect(try await mailbox.next() == nil)
        #expect(try await mailbox.next() == nil)
    }

    @Test func aFailureComesAfterWhatCameBefore() async throws {
        let mailbox = Mailbox<Int> {}
        _ = mailbox.push(1)
        mailbox.finish(.failure(Self.lost))
        // The first end counts.
        mailbox.finish(.success(()))
        #expect(try await mailbox.next() == 1)
        for _ in 0..<2 { await #expect(throws: Self.lost) { try await mailbox.next() } }
    }

    @Test func aWaiterIsWoken() async throws {
        let mailbox = Mailbox<Int> {}
        let waiter = Task { try await mailbox.next() }
        // Whether it waits already or not, it gets the element.
        await Task.yield()
        _ = mailbox.push(7)
        #expect(try await waiter.value == 7)
        let last = Task { try await mailbox.next() }
        await Task.yield()
        mailbox.finish(.success(()))
        #expect(try await last.value == nil)
    }

    /// The sender pauses at the capacity, and is told to go on once everything was taken.
    @Test func aFullBoxPausesItsSender() async throws {
        let resumed = Locked(0)
        let mailbox = Mailbox<Int> { resumed.withLock { $0 += 1 } }
        for number in 0..<255 { #expect(mailbox.push(number) == .more) }
        #expect(mailbox.push(255) == .pause)
        // What was on its way is not lost.
        #expect(mailbox.push(256) == .pause)
        for number in 0..<256 {
            #expect(try await mailbox.next() == number)
            #expect(resumed.withLock { $0 } == 0)
        }
        #expect(try await mailbox.next() == 256)
        #expect(resumed.withLock { $0 } == 1)
        #expect(mailbox.push(257) == .more)
        #expect(try await mailbox.next() == 257)
        #expect(resumed.withLock { $0 } == 1)
    }
}
