internal import EventLoop
internal import HTTPServer

/// Sends one response with its delays and its planned end.
final class AnswerPlayer: HTTPBodySource {
    private let plan: SimulatedAnswer
    private let exchange: HTTPExchange
    private let loop: EventLoop
    /// The piece that is being sent, and how much of it was.
    private var position = 0
    private var offset = 0
    /// The last piece whose wait has begun.
    private var waitedFor = -1
    private var timer: LoopTimer?

    init(_ plan: SimulatedAnswer, _ exchange: HTTPExchange, _ loop: EventLoop) {
        self.plan = plan
        self.exchange = exchange
        self.loop = loop
    }

    func start() {
        if plan.end == .close { return exchange.close() }
        // Not even the headers are sent.
        if plan.pieces.isEmpty, plan.end == .stall { return }
        guard let first = plan.pieces.first, first.delayMilliseconds > 0 else { return send() }
        wait(first.delayMilliseconds) { $0.send() }
    }

    /// The exchange is over.
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

    /// Each piece is one chunk, or several if the buffer is smaller.
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
