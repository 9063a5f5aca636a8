internal import EventLoop
internal import HTTPServer

/// Sends one response with its delays and its kind of end.
final class AnswerPlayer: HTTPBodySource {
    private let plan: SimulatedAnswer
    private let exchange: HTTPExchange
    private let loop: EventLoop
    /// The current piece, and the number of its bytes already sent.
    private var position = 0
    private var offset = 0
    /// The last piece whose delay has begun.
    private var waitedFor = -1
    private var timer: LoopTimer?

    init(_ plan: SimulatedAnswer, _ exchange: HTTPExchange, _ loop: EventLoop) {
        self.plan = plan
        self.exchange = exchange
        self.loop = loop
    }

    func start() {
        if plan.end == .close { return exchange.close() }
        // Send nothing, not even the headers.
        if plan.pieces.isEmpty, plan.end == .stall { return }
        guard let first = plan.pieces.first, first.delayMilliseconds > 0 else { return send() }
        wait(first.delayMilliseconds) { $0.send() }
    }

    /// Must be called when the exchange has ended.
    func stop() {
        if let timer { loop.cancel(timer) }
        timer = nil
    }

    private func send() {
        waitedFor = 0
        if plan.isStream || plan.end != .good {
            exchange.stream(plan.status, plan.headers, from: self)
        } else {
            exchange.respond(plan.status, plan.headers, plan.pieces.flatMap(\.bytes))
        }
    }

    private func wait(_ milliseconds: Int, _ next: @escaping (AnswerPlayer) -> Void) {
        let timer = LoopTimer { [unowned self] in next(self) }
        self.timer = timer
        loop.schedule(timer, after: .milliseconds(UInt64(milliseconds)))
    }

    /// Each piece is sent as one chunk, or as several if the buffer is smaller.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> HTTPBodyPart {
        while position < plan.pieces.count {
            let piece = plan.pieces[position]
            if offset == 0, piece.delayMilliseconds > 0, waitedFor < position {
                waitedFor = position
                wait(piece.delayMilliseconds) { $0.exchange.resume() }
                return .pending
            }
            let count = min(buffer.count, piece.bytes.count - offset)
            if count > 0 {
                piece.bytes.withUnsafeBytes { bytes in
                    buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)]))
                }
            }
            offset += count
            if offset == piece.bytes.count {
                position += 1
                offset = 0
            }
            if count > 0 { return .bytes(count) }
        }
        switch plan.end {
        case .good: return .end
        case .stall: return .pending
        case .cut, .close: return .cut
        }
    }
}
