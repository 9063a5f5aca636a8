import EventLoop
import Limits
import Testing

@testable import RPC

/// Calls on a wire that records its operations: no socket, no frames, no ttrpc.
@Suite struct CallWireTests {
    private static let unary = Method(service: "s", name: "Unary") { _, _ in }
    private static let stream = Method(service: "s", name: "Stream", isServerStreaming: true) { _, _ in }

    private func with(
        _ limits: ServerLimits = ServerLimits(), _ body: @escaping @Sendable (EventLoop, ScriptedWire) -> Void
    ) async throws {
        let loop = try EventLoop(label: "wire")
        await loop.perform { body(loop, ScriptedWire(on: loop, limits)) }
        await loop.shutdown()
    }

    @Test func aUnaryCallIsAnsweredOnce() async throws {
        try await with { _, wire in
            let call = wire.call(Self.unary, requestBytes: 100)
            #expect(wire.heldBytes == 100)
            call.respond([1, 2, 3])
            #expect(wire.log == ["7 answer [1, 2, 3]"] && call.isOver && wire.heldBytes == 0)
            // Operations after the end are ignored.
            call.respond([4])
            call.fail(Status(13, "late"))
            call.cancel(.requested)
            call.limit(.zero)
            #expect(!call.hold(bytes: 5) && !call.identify(as: "x"))
            #expect(wire.log.count == 1 && wire.heldBytes == 0)
        }
    }

    @Test func aStreamFollowsTheWiresDemand() async throws {
        try await with { _, wire in
            let call = wire.call(Self.stream)
            var resumed = 0
            call.onResume = { resumed += 1 }
            #expect(call.send(size: 1) { $0.storeBytes(of: 5, as: UInt8.self) } == .more)
            wire.demand = .pause
            #expect(call.send(size: 0) { _ in } == .pause)
            call.resume()
            #expect(resumed == 1)
            wire.demand = .more
            #expect(call.send(size: 1) { $0.storeBytes(of: 6, as: UInt8.self) } == .more)
            call.finish()
            #expect(wire.log == ["7 message [5]", "7 message []", "7 message [6]", "7 finished"])
            #expect(call.send(size: 0) { _ in } == .pause)
            call.resume()
            #expect(resumed == 1 && wire.log.count == 4)
        }
    }

    @Test func anErrorEndsEitherKind() async throws {
        try await with { _, wire in
            for method in [Self.unary, Self.stream] { wire.call(method).fail(Status(5, "no such thing")) }
            #expect(wire.log == ["7 failed 5 no such thing", "7 failed 5 no such thing"])
        }
    }

    @Test func aCancelledCallTellsItsHandlerAndEnds() async throws {
        try await with { _, wire in
            let plain = wire.call(Self.stream)
            var reasons: [Call.CancelReason] = []
            plain.onCancel = { reasons.append($0) }
            plain.cancel(.requested)
            plain.cancel(.shuttingDown)
            #expect(reasons == [.requested] && wire.log == ["7 failed 1 cancelled by the caller"])
            // The handler ends the call with a more specific status.
            let knowing = wire.call(Self.unary)
            knowing.onCancel = { [unowned knowing] _ in knowing.fail(Status(14, "its own words")) }
            knowing.cancel(.slowReader)
            #expect(wire.log.last == "7 failed 14 its own words" && wire.log.count == 2)
        }
    }

    @Test func aCallIsCancelledByItsID() async throws {
        let loop = try EventLoop(label: "wire")
        let wire = await loop.perform { LoopBound(ScriptedWire(on: loop, ServerLimits()), on: loop) }
        let found = await loop.perform { () -> [Bool] in
            let call = wire.value.call(Self.unary)
            #expect(call.identify(as: "mine"))
            let registry = wire.value.context.server.registry
            return [
                registry.cancel(callID: "mine", caller: "uid:1"), registry.cancel(callID: "mine", caller: "uid:2"),
            ]
        }
        #expect(found == [true, false])
        await eventually { await loop.perform { wire.value.log } == ["7 failed 1 cancelled by the caller"] }
        #expect(await loop.perform { !wire.value.context.server.registry.cancel(callID: "mine", caller: "uid:1") })
        await loop.shutdown()
    }

    @Test func aCallExpires() async throws {
        let loop = try EventLoop(label: "wire")
        let wire = await loop.perform { LoopBound(ScriptedWire(on: loop, ServerLimits()), on: loop) }
        let handed = await loop.perform { () -> LoopBound<Call> in
            let call = wire.value.call(Self.stream, timeoutNanoseconds: 3_600_000_000_000)
            // The shortest of all limits applies.
            call.limit(.milliseconds(10))
            call.limit(.seconds(3600))
            #expect(call.deadline == call.startedAt + .milliseconds(10))
            return LoopBound(call, on: loop)
        }
        await eventually { await loop.perform { wire.value.log } == ["7 failed 4 the call's deadline passed"] }
        #expect(await loop.perform { handed.value.isOver })
        await loop.shutdown()
    }

    @Test func noMessageIsLargerThanTheWireTakes() async throws {
        try await with { _, wire in
            wire.room = 3
            wire.call(Self.unary).respond([1, 2, 3, 4])
            let stream = wire.call(Self.stream)
            #expect(stream.send(size: 4) { _ in Issue.record("nothing is written") } == .pause)
            #expect(stream.isOver && wire.log.count == 2)
            #expect(wire.log.allSatisfy { $0.hasPrefix("7 failed 8 ") && $0.contains(" 4 bytes") })
        }
    }

    @Test func aCallCountsWithWhatItHolds() async throws {
        try await with { _, wire in
            wire.memory = 1000
            let call = wire.call(Self.unary, requestBytes: 100)
            #expect(call.hold(bytes: 600) && wire.heldBytes == 600)
            #expect(call.hold(bytes: 200) && wire.heldBytes == 200)
            #expect(!call.hold(bytes: 1001) && call.isOver && wire.heldBytes == 0)
            #expect(wire.log == ["7 failed 8 too much"])
        }
    }

    @Test func aWrongTokenEndsTheCallAndTheConnection() async throws {
        try await with { _, wire in
            let call = wire.call(Self.unary)
            #expect(call.authenticateConnection(token: "right") && call.caller == "token:name")
            #expect(!call.authenticateConnection(token: "wrong"))
            #expect(wire.log == ["7 failed 16 invalid token", "closes"])
        }
    }

    /// The call, its wire and its connection retain each other only until the call ends.
    @Test func nothingIsHeldAfterTheEnd() async throws {
        try await with { loop, _ in
            weak var gone: ScriptedWire?
            weak var goneCall: Call?
            inItsOwnScope {
                let wire = ScriptedWire(on: loop, ServerLimits())
                let call = wire.call(Self.unary)
                call.onCancel = { _ in _ = call.isOver }
                (gone, goneCall) = (wire, call)
                call.respond([])
            }
            #expect(gone == nil && goneCall == nil)
        }
    }

    private func inItsOwnScope(_ body: () -> Void) { body() }

    private func eventually(_ condition: () async -> Bool) async {
        for _ in 0..<3000 {
            if await condition() { return }
            try? await Task.sleep(nanoseconds: 5_000_000)
        }
        Issue.record("the condition never came true")
    }

    // MARK: - Paused calls

    @Test func callsThatWaitLeaveInAnyOrder() async throws {
        try await with { _, wire in
            let calls = (0..<6).map { _ in wire.call(Self.stream) }
            var paused = PausedCalls()
            for call in calls + calls { paused.add(call) }
            for index in [5, 0, 2] {
                paused.remove(calls[index])
                paused.remove(calls[index])
            }
            let left = paused.removeAll()
            #expect(Set(left.map(ObjectIdentifier.init)) == Set([1, 3, 4].map { ObjectIdentifier(calls[$0]) }))
            #expect(left.count == 3 && paused.isEmpty)
            // A resumed call may end, or wait again, before the others are resumed.
            paused.remove(calls[1])
            paused.add(calls[3])
            #expect(!paused.isEmpty)
            paused.remove(calls[3])
            #expect(paused.isEmpty)
        }
    }
}

/// A wire and a connection in one.
private final class ScriptedWire: CallWire, CallSession {
    let context: ServerLoop
    let peer = PeerIdentity.local(user: 1, group: 1, process: 1)
    let mayCall = true
    private(set) var log: [String] = []
    private(set) var heldBytes = 0
    var demand = Demand.more
    var room = 1 << 20
    var memory = 1 << 30

    init(on loop: EventLoop, _ limits: ServerLimits) {
        let core = ServerCore(
            methods: MethodTable([]), limits: limits, registry: CallRegistry(), policy: .sameUser, loops: 1
        ) { $0.plainStatus }
        context = ServerLoop(loop: loop, index: 0, server: core)
    }

    func call(_ method: RPC.Method, requestBytes: Int = 0, timeoutNanoseconds: Int64 = 0) -> Call {
        Call(
            method: method, streamID: 7, wire: self, session: self, caller: Admission.Caller(name: "uid:1"),
            requestBytes: requestBytes, metadata: [], timeoutNanoseconds: timeoutNanoseconds)
    }

    private func bytes(_ size: Int, _ fill: (UnsafeMutableRawPointer) -> Void) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: size)
        bytes.withUnsafeMutableBytes { if let base = $0.baseAddress { fill(base) } }
        return bytes
    }

    func fits(_ size: Int, isLast: Bool) -> Bool { size <= room }

    func send(_ size: Int, on call: Call, _ fill: (UnsafeMutableRawPointer) -> Void) -> Demand {
        log.append("\(call.streamID) message \(bytes(size, fill))")
        return demand
    }

    func respond(_ size: Int, on call: Call, _ fill: (UnsafeMutableRawPointer) -> Void) {
        log.append("\(call.streamID) answer \(bytes(size, fill))")
    }

    func finish(_ call: Call) { log.append("\(call.streamID) finished") }

    func fail(_ call: Call, _ status: Status) { log.append("\(call.streamID) failed \(status.code) \(status.message)") }

    func authenticate(token: String) throws(Failure) -> String {
        guard token == "right" else { throw Admission.wrongToken }
        return "token:name"
    }

    func hold(more bytes: Int) -> Failure? {
        heldBytes += bytes
        return heldBytes > memory ? Failure(.busy, "too much") : nil
    }

    func closeAfterFlush() { log.append("closes") }
}
