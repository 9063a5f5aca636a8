import EventLoop
import Testing

@Suite struct OutputBufferTests {
    @Test(arguments: 0..<10)
    func bytesComeOutAsTheyWentIn(_ seed: UInt64) {
        var random = SplitMix(seed: seed)
        var buffer = OutputBuffer()
        var expected: [UInt8] = []
        for _ in 0..<500 {
            let added = (0..<Int(random.next() % 700)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            added.withUnsafeBytes { buffer.append($0) }
            expected += added
            let taken = Int(random.next() % UInt64(buffer.count + 1))
            let head = Array(buffer.readable.prefix(taken))
            #expect(head == Array(expected.prefix(taken)))
            buffer.consume(taken)
            expected.removeFirst(taken)
            let left = buffer.count
            #expect(left == expected.count)
        }
        let rest = Array(buffer.readable)
        #expect(rest == expected)
        buffer.removeAll()
        let isEmpty = buffer.isEmpty
        #expect(isEmpty)
    }
}
