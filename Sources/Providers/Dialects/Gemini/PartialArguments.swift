internal import Generation
internal import JSON

/// Turns a call's arguments, which arrive value by value with their JSON paths, into a growing JSON text.
///
/// The vendor writes the arguments in the order of the text, so each piece can be delivered at once. A piece
/// that belongs to a part of the text that is closed already is an error.
struct PartialArguments {
    /// A step of a path.
    enum Step: Equatable {
        case key(String)
        case index(Int)
    }

    /// An open container and its position.
    private struct Level {
        /// How this container is reached from the one above; the outermost has none.
        let step: Step?
        let isArray: Bool
        /// How many values it has.
        var count = 0
        var keys: Set<String> = []
    }

    private var levels: [Level] = []
    /// The path of the string that may still grow.
    private var openString: [Step]?
    /// Whether the vendor announced a continuation of the string.
    private(set) var isInText = false
    private var isStarted = false
    /// The size of the names of the open containers' values, in bytes.
    private var nameBytes = 0
    /// The size of the path of the open string, in bytes.
    private var pathBytes = 0
    /// The bytes held here.
    var keptBytes: Int { nameBytes + pathBytes }

    /// The number of array elements skipped so far.
    private var gaps = 0

    /// The maximum number of skipped array elements per call: each adds a `null` to the text.
    private static let maximumGaps = 64

    /// The text that a piece adds.
    /// - Parameter piece: `{jsonPath, stringValue | numberValue | boolValue | nullValue}`.
    /// - Throws: `.badProviderResponse` if the path is invalid or belongs to a closed container.
    mutating func add(_ piece: JSONElement) throws(GenerationError) -> String {
        let path = try Self.steps(piece["jsonPath"]?.string ?? "")
        let string = piece["stringValue"]?.string
        let continues = piece["willContinue"]?.bool == true
        if let string, openString == path {
            isInText = continues
            return Self.escaped(string)
        }
        // The value is announced but has not begun.
        if piece.count == 2, continues { return "" }
        var text = closeString()
        text += try open(path)
        if let string {
            openString = path
            isInText = continues
            pathBytes = piece["jsonPath"]?.string?.utf8.count ?? 0
            text += "\"" + Self.escaped(string)
        } else if let number = piece["numberValue"] {
            text += number.text
        } else if let bool = piece["boolValue"]?.bool {
            text += bool ? "true" : "false"
        } else {
            // A null counts as absent, and so does a kind of value added later.
            text += "null"
        }
        return text
    }

    /// The text that closes the arguments. The next piece belongs to another call.
    mutating func close() -> String {
        var text = closeString()
        if !isStarted { text = "{" }
        for level in levels.reversed() { text += level.isArray ? "]" : "}" }
        if !isStarted { text += "}" }
        self = PartialArguments()
        return text
    }

    // MARK: - Containers

    private mutating func closeString() -> String {
        defer {
            openString = nil
            isInText = false
        }
        return openString == nil ? "" : "\""
    }

    /// Closes and opens containers until the value at `path` is next, and writes its name.
    private mutating func open(_ path: [Step]) throws(GenerationError) -> String {
        var text = ""
        guard !path.isEmpty else { throw Self.error("a value without a path") }
        if !isStarted {
            isStarted = true
            levels = [Level(step: nil, isArray: path[0].isIndex)]
            text += path[0].isIndex ? "[" : "{"
        }
        // How many of the open containers lead to the value.
        var shared = 1
        while shared < levels.count, shared < path.count, levels[shared].step == path[shared - 1] { shared += 1 }
        while levels.count > shared {
            text += levels.removeLast().isArray ? "]" : "}"
        }
        for position in (shared - 1)..<path.count {
            text += try place(path[position])
            guard position + 1 < path.count else { break }
            let isArray = path[position + 1].isIndex
            levels.append(Level(step: path[position], isArray: isArray))
            text += isArray ? "[" : "{"
        }
        return text
    }

    /// Writes comma and name of the next value in the innermost container.
    private mutating func place(_ step: Step) throws(GenerationError) -> String {
        let last = levels.count - 1
        var text = ""
        switch step {
        case .key(let key):
            guard !levels[last].isArray, levels[last].keys.insert(key).inserted else {
                throw Self.error("'\(key)' is a duplicate or out of order")
            }
            nameBytes += 32 + key.utf8.count
            text = (levels[last].count > 0 ? "," : "") + "\"" + Self.escaped(key) + "\":"
        case .index(let index):
            guard levels[last].isArray, index >= levels[last].count else {
                throw Self.error("element \(index) is a duplicate or out of order")
            }
            // Skipped elements are null.
            let gap = index - levels[last].count
            guard gap <= Self.maximumGaps - gaps else {
                throw Self.error("more than \(Self.maximumGaps) elements are missing")
            }
            gaps += gap
            for _ in levels[last].count..<index {
                text += (levels[last].count > 0 ? "," : "") + "null"; levels[last].count += 1
            }
            text += levels[last].count > 0 ? "," : ""
        }
        levels[last].count += 1
        return text
    }

    // MARK: - Text

    private static func escaped(_ text: String) -> String {
        var writer = JSONWriter(capacity: text.utf8.count + 8)
        writer.string(text)
        return String(decoding: writer.bytes.dropFirst().dropLast(), as: UTF8.self)
    }

    /// Reads `$.a.b[0]['c d']`.
    static func steps(_ path: String) throws(GenerationError) -> [Step] {
        var rest = path.unicodeScalars[...]
        guard rest.popFirst() == "$" else {
            throw error("the path '\(path.truncated(toBytes: 80))' does not begin with $")
        }
        var steps: [Step] = []
        while let mark = rest.popFirst() {
            if mark == "." {
                let name = rest.prefix { $0 != "." && $0 != "[" }
                guard !name.isEmpty else { throw error("the path '\(path.truncated(toBytes: 80))' has an empty name") }
                steps.append(.key(String(String.UnicodeScalarView(name))))
                rest = rest.dropFirst(name.count)
            } else if mark == "[", let quote = rest.first, quote == "'" || quote == "\"" {
                rest.removeFirst()
                var name = String.UnicodeScalarView()
                while let next = rest.popFirst(), next != quote {
                    name.append(next == "\\" ? rest.popFirst() ?? next : next)
                }
                guard rest.popFirst() == "]" else { throw error("the path '\(path.truncated(toBytes: 80))' lacks a ]") }
                steps.append(.key(String(name)))
            } else if mark == "[" {
                let digits = rest.prefix { $0 != "]" }
                guard let index = Int(String(String.UnicodeScalarView(digits))), index >= 0 else {
                    throw error("the path '\(path.truncated(toBytes: 80))' has an invalid index")
                }
                rest = rest.dropFirst(digits.count)
                guard rest.popFirst() == "]" else { throw error("the path '\(path.truncated(toBytes: 80))' lacks a ]") }
                steps.append(.index(index))
            } else {
                throw error("the path '\(path.truncated(toBytes: 80))' is invalid")
            }
            guard steps.count <= 128 else { throw error("a path of more than 128 steps") }
        }
        return steps
    }

    private static func error(_ what: String) -> GenerationError {
        GenerationError(.badProviderResponse, "a tool call's arguments are invalid: \(what)")
    }
}

extension PartialArguments.Step {
    fileprivate var isIndex: Bool { if case .index = self { true } else { false } }
}
