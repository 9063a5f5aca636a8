internal import CYAML

/// Reads one YAML document into a tree of `ConfigNode` by libyaml's event interface. Everything that a hostile file
/// could inflate is bounded: size, depth, and the number of values after aliases are followed.
struct YAMLReader: ~Copyable {
    /// The largest file, in bytes.
    static let maximumSize = 1 << 20
    /// The deepest nesting.
    static let maximumDepth = 32
    /// The maximum number of values; every use of an alias counts.
    static let maximumNodes = 100_000

    private struct Anchor {
        let node: ConfigNode
        let count: Int
        let height: Int
    }

    /// Errors that leave the tree usable: duplicate keys.
    private(set) var mistakes: [ConfigError] = []

    private let file: String
    private let bytes: UnsafeBufferPointer<UInt8>
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let event: UnsafeMutablePointer<yaml_event_t>
    private var hasEvent = false
    private var anchors: [String: Anchor] = [:]
    private var nodeCount = 0

    /// A reader of `text`, which must stay valid while the reader lives.
    private init(_ text: UnsafeBufferPointer<UInt8>, file: String) throws(ConfigError) {
        self.file = file
        // A byte order mark is no content, and counted as content it would shift the first line's columns.
        let hasMark = text.starts(with: [0xEF, 0xBB, 0xBF])
        bytes = hasMark ? UnsafeBufferPointer(rebasing: text.dropFirst(3)) : text
        parser = .allocate(capacity: 1)
        event = .allocate(capacity: 1)
        guard yaml_parser_initialize(parser) == 1 else {
            parser.deallocate()
            event.deallocate()
            throw ConfigError(file: file, line: 0, key: "", message: "out of memory")
        }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    }

    deinit {
        if hasEvent { yaml_event_delete(event) }
        yaml_parser_delete(parser)
        event.deallocate()
        parser.deallocate()
    }

    /// Reads the only document of `text`.
    /// - Returns: the tree, or `nil` for a file without content, and the errors that leave it usable.
    /// - Throws: the first error that makes the tree unusable.
    static func read(
        _ text: [UInt8], file: String
    ) throws(ConfigError) -> (root: ConfigNode?, mistakes: [ConfigError]) {
        guard text.count <= maximumSize else {
            throw ConfigError(
                file: file, line: 0, key: "",
                message: "the file has \(text.count) bytes; the limit is \(maximumSize)")
        }
        // One byte more, so that an empty file has an address too.
        let padded = text + [0]
        let result: Result<(ConfigNode?, [ConfigError]), ConfigError> = padded.withUnsafeBufferPointer { buffer in
            Result { () throws(ConfigError) in
                var reader = try YAMLReader(UnsafeBufferPointer(rebasing: buffer.dropLast()), file: file)
                let root = try reader.document()
                return (root, reader.mistakes)
            }
        }
        let (root, mistakes) = try result.get()
        return (root, mistakes)
    }

    private mutating func document() throws(ConfigError) -> ConfigNode? {
        try next()  // stream start
        try next()
        guard event.pointee.type == YAML_DOCUMENT_START_EVENT else { return nil }
        try next()
        let root = try node(path: "", depth: 1).node
        try next()  // document end
        try next()
        guard event.pointee.type == YAML_STREAM_END_EVENT else {
            throw mistake("a second YAML document starts here; put everything into one")
        }
        return root
    }

    // MARK: Values

    /// The value that starts at the current event, with the number of values in it and its height.
    private mutating func node(path: String, depth: Int) throws(ConfigError) -> (
        node: ConfigNode, count: Int, height: Int
    ) {
        let (line, column) = (self.line, self.column)
        guard depth <= Self.maximumDepth else {
            throw mistake("nested deeper than \(Self.maximumDepth) levels", path)
        }
        try count(1, path)
        let anchor: String?
        let value: ConfigNode.Value
        var (count, height) = (1, 1)
        switch event.pointee.type {
        case YAML_ALIAS_EVENT:
            return try alias(path: path, depth: depth)
        case YAML_SCALAR_EVENT:
            anchor = text(event.pointee.data.scalar.anchor)
            value = .scalar(try scalar(path))
        case YAML_SEQUENCE_START_EVENT:
            anchor = text(event.pointee.data.sequence_start.anchor)
            try checkTag(event.pointee.data.sequence_start.tag, allowed: ["seq"], path)
            var items: [ConfigNode] = []
            try next()
            while event.pointee.type != YAML_SEQUENCE_END_EVENT {
                let item = try node(path: "\(path)[\(items.count)]", depth: depth + 1)
                items.append(item.node)
                (count, height) = (count + item.count, max(height, item.height + 1))
                try next()
            }
            value = .sequence(items)
        default:
            anchor = text(event.pointee.data.mapping_start.anchor)
            try checkTag(event.pointee.data.mapping_start.tag, allowed: ["map"], path)
            var entries: [ConfigEntry] = []
            var lines: [String: Int] = [:]
            try next()
            while event.pointee.type != YAML_MAPPING_END_EVENT {
                let (key, keyLine) = try self.key(path)
                let keyPath = Path.appending(key, to: path)
                try next()
                let item = try node(path: keyPath, depth: depth + 1)
                (count, height) = (count + item.count, max(height, item.height + 1))
                if let first = lines[key] {
                    let message = "duplicate key; first defined on line \(first)"
                    mistakes.append(ConfigError(file: file, line: keyLine, key: keyPath, message: message))
                } else {
                    lines[key] = keyLine
                    entries.append(ConfigEntry(key: key, line: keyLine, value: item.node))
                }
                try next()
            }
            value = .mapping(entries)
        }
        let node = ConfigNode(value, line: line, column: column)
        if let anchor { anchors[anchor] = Anchor(node: node, count: count, height: height) }
        return (node, count, height)
    }

    /// The key at the current event.
    private mutating func key(_ path: String) throws(ConfigError) -> (String, Int) {
        guard event.pointee.type == YAML_SCALAR_EVENT else {
            throw mistake("a key must be plain text", path)
        }
        try count(1, path)
        let line = self.line
        let key = try scalar(path)
        if key.text == "<<", !key.isQuoted {
            throw mistake("merge keys ('<<') are not supported; write the keys out", path)
        }
        return (key.text, line)
    }

    private func scalar(_ path: String) throws(ConfigError) -> ConfigScalar {
        let scalar = event.pointee.data.scalar
        try checkTag(scalar.tag, allowed: ["str", "int", "float", "bool", "null"], path)
        let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
        // Escapes such as "\0" put into the text what libyaml refuses in the file.
        guard !bytes.contains(0) else { throw mistake("contains a NUL character", path) }
        let tag = text(scalar.tag)
        let isQuoted = scalar.style != YAML_PLAIN_SCALAR_STYLE || tag == Self.tagPrefix + "str"
        return ConfigScalar(String(decoding: bytes, as: UTF8.self), isQuoted: isQuoted, tag: tag)
    }

    private mutating func alias(
        path: String, depth: Int
    ) throws(ConfigError) -> (node: ConfigNode, count: Int, height: Int) {
        guard let anchor = text(event.pointee.data.alias.anchor).flatMap({ anchors[$0] }) else {
            // The name is not quoted: a password that begins with '*' looks like an alias.
            throw mistake("this alias has no anchor before it; if it is text that begins with '*', quote it", path)
        }
        guard depth + anchor.height - 1 <= Self.maximumDepth else {
            throw mistake("nested deeper than \(Self.maximumDepth) levels", path)
        }
        try count(anchor.count, path)
        return (anchor.node, anchor.count, anchor.height)
    }

    private mutating func count(_ nodes: Int, _ path: String) throws(ConfigError) {
        nodeCount += nodes
        guard nodeCount <= Self.maximumNodes else {
            throw mistake("more than \(Self.maximumNodes) values, counting every use of an alias", path)
        }
    }

    private static let tagPrefix = "tag:yaml.org,2002:"

    private func checkTag(
        _ tag: UnsafeMutablePointer<UInt8>?, allowed: [String], _ path: String
    ) throws(ConfigError) {
        guard let tag = text(tag), !allowed.contains(where: { tag == Self.tagPrefix + $0 }), tag != "!" else { return }
        throw mistake("this tag is not supported; if it is text that begins with '!', quote it", path)
    }

    // MARK: Events and places

    private mutating func next() throws(ConfigError) {
        if hasEvent { yaml_event_delete(event) }
        hasEvent = false
        guard yaml_parser_parse(parser, event) == 1 else { throw syntaxMistake() }
        hasEvent = true
    }

    private var line: Int { Int(event.pointee.start_mark.line) + 1 }
    private var column: Int { Int(event.pointee.start_mark.column) + 1 }

    private func text(_ pointer: UnsafeMutablePointer<UInt8>?) -> String? {
        pointer.map { String(cString: $0) }
    }

    private func mistake(_ message: String, _ key: String = "") -> ConfigError {
        ConfigError(file: file, line: line, key: key, message: message)
    }

    /// libyaml's error text with its line. The texts are constants of the library and never quote the file.
    private func syntaxMistake() -> ConfigError {
        let parser = parser.pointee
        let problem = parser.problem.map { String(cString: $0) } ?? "unknown error"
        switch parser.error {
        case YAML_MEMORY_ERROR:
            return ConfigError(file: file, line: 0, key: "", message: "out of memory")
        case YAML_READER_ERROR:
            let offset = min(Int(parser.problem_offset), bytes.count)
            let line = 1 + bytes[..<offset].lazy.filter { $0 == 10 }.count
            let message = "the file is not readable UTF-8 text: \(problem)"
            return ConfigError(file: file, line: line, key: "", message: message)
        default:
            let index = lineStart(Int(parser.problem_mark.line)) + Int(parser.problem_mark.column)
            let isTab = index < bytes.count && bytes[index] == 9
            let message = "not valid YAML: \(problem)" + (isTab ? "; indent with spaces, not tabs" : "")
            return ConfigError(file: file, line: Int(parser.problem_mark.line) + 1, key: "", message: message)
        }
    }

    /// Where a line, counted from 0, starts.
    private func lineStart(_ line: Int) -> Int {
        var remaining = line
        for (index, byte) in bytes.enumerated() where remaining > 0 && byte == 10 {
            remaining -= 1
            if remaining == 0 { return index + 1 }
        }
        return 0
    }
}
