import EventLoop
import Glibc
import HTTPClient

/// A loop and its client for one test.
final class Harness: @unchecked Sendable {
    let loop: EventLoop
    /// Confined to the loop.
    private(set) var client: HTTPClient!

    private init(_ poller: PollerKind) throws { loop = try EventLoop(label: "http-test", poller: poller) }

    static func run<T>(
        _ poller: PollerKind = .epoll, options: HTTPClientOptions = HTTPClientOptions(),
        _ body: (Harness) async throws -> T
    ) async throws -> T {
        let harness = try Harness(poller)
        await harness.loop.perform { harness.client = HTTPClient(loop: harness.loop, options: options) }
        let result: Result<T, any Error>
        do { result = .success(try await body(harness)) } catch { result = .failure(error) }
        await harness.loop.perform {
            harness.client.shutdown()
            harness.client = nil
        }
        await harness.loop.shutdown()
        return try result.get()
    }

    /// Starts a request on the loop.
    func start(_ request: HTTPRequest, _ receiver: Receiver) async {
        await loop.perform { [self] in receiver.transfer = client.start(request, delegate: receiver) }
    }

    /// Runs a request until it ends.
    func fetch(_ request: HTTPRequest, _ receiver: Receiver = Receiver()) async -> Receiver {
        await start(request, receiver)
        await receiver.finished(on: loop)
        return receiver
    }

    func fetch(_ url: String, body: [UInt8]? = nil, timeouts: HTTPTimeouts = patientTimeouts) async -> Receiver {
        await fetch(request(url, body: body, timeouts: timeouts))
    }

    var activeCount: Int { get async { await loop.perform { [self] in client.activeCount } } }
}

/// Longer than a busy machine delays a test.
let patientTimeouts = HTTPTimeouts(connect: 3600, firstByte: 3600, idle: 3600, total: 3600)

func request(_ url: String, body: [UInt8]? = nil, timeouts: HTTPTimeouts = patientTimeouts) -> HTTPRequest {
    // No header can be refused here.
    HTTPRequest(url: url, headers: try! HTTPHeaders([]), body: body, timeouts: timeouts, prefersHTTP1: true)
}

/// Records what a transfer reports, and checks the order. Confined to the loop; the test reads it after the end.
final class Receiver: TransferDelegate, @unchecked Sendable {
    var transfer: HTTPTransfer?
    private(set) var head: HTTPResponseHead?
    private(set) var body: [UInt8] = []
    private(set) var pieces = 0
    private(set) var largestPiece = 0
    private(set) var error: HTTPError?
    private(set) var isFinished = false
    /// Violations of the client's contract.
    private(set) var violations: [String] = []
    private var isPaused = false
    private var isCancelled = false
    private var waiter: CheckedContinuation<Void, Never>?

    /// Called on the loop, if set.
    var onHead: ((Receiver) -> Void)?
    var onPiece: ((Receiver) -> Demand)?
    var onFinish: ((Receiver) -> Void)?
    var keepsBody = true

    var text: String { String(decoding: body, as: UTF8.self) }

    func cancel() {
        isCancelled = true
        transfer?.cancel()
    }

    func resume() {
        isPaused = false
        transfer?.resume()
    }

    func finished(on loop: EventLoop) async {
        await withCheckedContinuation { continuation in
            loop.execute { [self] in
                if isFinished { continuation.resume() } else { waiter = continuation }
            }
        }
    }

    func transferDidReceiveHead(_ head: HTTPResponseHead) {
        check("head")
        if self.head != nil { violations.append("a second head") }
        self.head = head
        onHead?(self)
    }

    func transferDidReceive(_ bytes: UnsafeRawBufferPointer) -> Demand {
        check("piece")
        if head == nil { violations.append("a piece before the head") }
        if isPaused { violations.append("a piece while paused") }
        if bytes.isEmpty { violations.append("an empty piece") }
        pieces += 1
        largestPiece = max(largestPiece, bytes.count)
        if keepsBody { body.append(contentsOf: bytes) }
        let demand = onPiece?(self) ?? .more
        isPaused = demand == .pause
        return demand
    }

    func transferDidFinish(_ error: HTTPError?) {
        check("end")
        self.error = error
        isFinished = true
        onFinish?(self)
        waiter?.resume()
        waiter = nil
    }

    private func check(_ what: String) {
        if isCancelled { violations.append("\(what) after cancel") }
        if isFinished { violations.append("\(what) after the end") }
    }
}

/// The number of this process's sockets connected to a port: the connections that the client under test holds open.
func socketsConnected(to port: UInt16) -> Int {
    (Int32(0)..<8192).count { fd in
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(fd, $0, &length) }
        }
        return result == 0 && address.sin_family == sa_family_t(AF_INET) && UInt16(bigEndian: address.sin_port) == port
    }
}

/// Waits until a condition holds, for as long as a very slow machine may need.
func eventually(_ condition: @escaping @Sendable () async -> Bool) async -> Bool {
    for _ in 0..<3000 {
        if await condition() { return true }
        try? await Task.sleep(nanoseconds: 10_000_000)
    }
    return false
}
