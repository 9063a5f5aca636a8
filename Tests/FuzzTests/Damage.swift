/// A seeded generator; the name of a failing test shows the seed.
struct Damage {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next(_ limit: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % max(1, limit)
    }

    /// Overwrites, removes, duplicates, inserts or cuts off bytes in a few places.
    mutating func apply(to bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0...next(4) where !bytes.isEmpty {
            let place = next(bytes.count)
            switch next(5) {
            case 0: bytes[place] = UInt8(next(256))
            case 1: bytes.removeSubrange(place..<min(bytes.count, place + next(20)))
            case 2: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + next(50))], at: place)
            case 3: bytes.insert(contentsOf: [0xFF, 0xFF, 0xFF, 0xFF, 0x7F], at: place)
            default: bytes = Array(bytes[..<place])
            }
        }
        return bytes
    }

    mutating func slices(_ bytes: [UInt8]) -> [[UInt8]] {
        var slices: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = 1 + next(40)
            slices.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return slices
    }
}
