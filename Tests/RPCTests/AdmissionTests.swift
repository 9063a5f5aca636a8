import EventLoop
import Glibc
import Testing

@testable import RPC

/// Authentication decisions, without sockets.
@Suite struct AdmissionTests {
    private static let open = AccessPolicy(users: [1000])
    private static func tokens(_ tokens: [String: String]) -> AccessPolicy {
        AccessPolicy(users: [1000]) { tokens[$0] }
    }

    private static func bearer(_ token: String) -> [(key: String, value: String)] {
        [(key: "authorization", value: "Bearer " + token)]
    }

    @Test func whoeverNeedsNoTokenIsKnownAtOnce() throws {
        var local = Admission(peer: .local(user: 1000, group: 1000, process: 1), policy: Self.tokens(["t": "ci"])) {
            []
        }
        #expect(local.isKnown)
        #expect(try local.caller(metadata: [], isOpen: false).name == "uid:1000")
        #expect(Admission(peer: .network, policy: Self.open) { [] }.isKnown)
    }

    @Test func aStrangerIsKnownWithItsFirstToken() throws {
        var admission = Admission(peer: .network, policy: Self.tokens(["t": "ci"])) { [] }
        #expect(!admission.isKnown)
        #expect(throws: Admission.missingToken) { try admission.caller(metadata: [], isOpen: false) }
        for wrong in ["x", "", "tt", String(repeating: "t", count: 5000)] {
            #expect(throws: Admission.wrongToken) {
                try admission.caller(metadata: Self.bearer(wrong), isOpen: true)
            }
        }
        #expect(throws: Admission.wrongToken) {
            try admission.caller(metadata: [(key: "Authorization", value: "Basic t")], isOpen: false)
        }
        #expect(!admission.isKnown)
        #expect(try admission.caller(metadata: Self.bearer("t"), isOpen: false).name == "token:ci")
        #expect(admission.isKnown)
        // The connection itself is not authenticated: each call carries its own token.
        #expect(throws: Admission.missingToken) { try admission.caller(metadata: [], isOpen: false) }
        #expect(admission.authenticate(token: "t") == "token:ci")
        #expect(try admission.caller(metadata: [], isOpen: false).name == "token:ci")
    }

    @Test func aRefusedUserStaysAStranger() throws {
        var other = Admission(peer: .local(user: 1001, group: 1001, process: 1), policy: Self.open) { [] }
        #expect(!other.isKnown)
        let failure = #expect(throws: Failure.self) { try other.caller(metadata: [], isOpen: true) }
        #expect(failure?.reason == .notPermitted)
    }

    @Test func anotherPolicyEndsWhomItDoesNotAdmit() throws {
        var byHello = Admission(peer: .network, policy: Self.tokens(["t": "ci"])) { [] }
        #expect(byHello.authenticate(token: "t") != nil)
        #expect(byHello.adopt(Self.tokens(["t": "ci", "u": "ops"]), live: []) == nil)
        // The same name with another token, and the same token with another name.
        #expect(byHello.adopt(Self.tokens(["u": "ci"]), live: [])?.reason == .unauthenticated)
        var renamed = Admission(peer: .network, policy: Self.tokens(["t": "ci"])) { [] }
        #expect(renamed.authenticate(token: "t") != nil)
        #expect(renamed.adopt(Self.tokens(["t": "ops"]), live: [])?.reason == .unauthenticated)

        var byMetadata = Admission(peer: .network, policy: Self.tokens(["t": "ci"])) { [] }
        let caller = try byMetadata.caller(metadata: Self.bearer("t"), isOpen: false)
        #expect(byMetadata.adopt(Self.tokens(["t": "ci"]), live: []) == nil && byMetadata.failure(of: caller) == nil)
        #expect(byMetadata.adopt(Self.tokens([:]), live: []) != nil && byMetadata.failure(of: caller) != nil)

        var local = Admission(peer: .local(user: 1000, group: 1000, process: 1), policy: Self.open) { [] }
        #expect(local.adopt(Self.tokens(["t": "ci"]), live: []) == nil)
        #expect(local.adopt(AccessPolicy(users: [1]), live: [])?.reason == .notPermitted)

        var tcp = Admission(peer: .network, policy: Self.open) { [] }
        #expect(tcp.adopt(Self.tokens(["t": "ci"]), live: [])?.reason == .unauthenticated)

        // Only calls with the removed token end, regardless of the last caller.
        var both = Admission(peer: .network, policy: Self.tokens(["t": "ci", "u": "ops"])) { [] }
        #expect(both.authenticate(token: "t") != nil)
        let other = try both.caller(metadata: Self.bearer("u"), isOpen: false)
        var withoutOther = both
        #expect(withoutOther.adopt(Self.tokens(["t": "ci"]), live: []) == nil)
        #expect(withoutOther.failure(of: other) != nil)
        #expect(try withoutOther.caller(metadata: [], isOpen: false).name == "token:ci")
        #expect(both.adopt(Self.tokens(["u": "ops"]), live: []) == nil)
        #expect(throws: Admission.missingToken) { try both.caller(metadata: [], isOpen: false) }
        #expect(try both.caller(metadata: Self.bearer("u"), isOpen: false).name == "token:ops")

        // After a reload that requires no token, every caller is known.
        var admitted = Admission(peer: .network, policy: Self.tokens(["t": "ci"])) { [] }
        #expect(admitted.adopt(Self.open, live: []) == nil && admitted.isKnown)

        // A stranger has no calls to end.
        var stranger = Admission(peer: .network, policy: Self.tokens(["t": "ci"])) { [] }
        #expect(stranger.adopt(Self.tokens([:]), live: []) == nil)
    }
}

@Suite struct TokenGuessesTests {
    private let here = TokenGuesses.Origin(ipv4: 1)
    private let second = Self.at(1)

    private static func at(_ seconds: Double) -> Instant { Instant(nanoseconds: 0) + .seconds(seconds) }

    @Test func aFewMistakesCostNothingAndGuessingSlowsDown() {
        var guesses = TokenGuesses()
        for _ in 0..<2 { guesses.failed(here, now: second) }
        #expect(guesses.delay(here, now: second) == .zero)
        var delays: [TimeAmount] = []
        for _ in 0..<100 {
            guesses.failed(here, now: second)
            delays.append(guesses.delay(here, now: second))
        }
        #expect(delays.prefix(4) == [.milliseconds(250), .milliseconds(500), .seconds(1), .seconds(1)])
        #expect(delays.max() == .seconds(1))
        #expect(guesses.delay(TokenGuesses.Origin(ipv4: 2), now: second) == .zero)
        // Forgotten after a quiet minute.
        #expect(guesses.delay(here, now: Self.at(61)) == .zero)
        guesses.failed(here, now: Self.at(61))
        #expect(guesses.delay(here, now: Self.at(61)) == .zero)
    }

    @Test func theNumberOfAddressesIsBounded() {
        var guesses = TokenGuesses()
        for address in 0..<10_000 {
            guesses.failed(TokenGuesses.Origin(ipv4: UInt32(address)), now: Self.at(Double(address) / 1000))
        }
        #expect(guesses.count == 1024)
        for _ in 0..<3 { guesses.failed(here, now: Self.at(10)) }
        #expect(guesses.delay(here, now: Self.at(10)) > .zero)
    }
}

@Suite struct DescriptorBudgetTests {
    @Test(arguments: [
        (1 << 20, 4096, 64), (8192, 4096, 64), (4096, 2960, 64), (1024, 656, 64), (64, 20, 4), (16, 5, 1), (0, 2, 1),
    ])
    func whatIsLeftForCallersAndVendors(_ limit: Int, _ connections: Int, _ strangers: Int) {
        let budget = DescriptorBudget(limit: limit, connections: 4096, strangers: 64)
        #expect(budget.connections == connections && budget.strangers == strangers)
        #expect(budget.upstream >= 1)
        #expect(limit < 8 || budget.connections + budget.strangers + budget.upstream <= limit)
    }
}
