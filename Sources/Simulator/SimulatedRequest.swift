/// What a client sent.
struct SimulatedRequest {
    var method: String
    /// The path as it was sent, percent-encoded.
    let rawPath: String
    /// The path, decoded: for looking at, not for taking apart.
    let path: String
    /// The query's arguments, decoded.
    let query: [String: String]
    var headers: [String: String]
    var body: [UInt8]
    /// The model that the path names (`models/MODEL:VERB`, `deployments/MODEL/…`), decoded and without directives.
    var pathModel: String?
    /// What is behind the model's colon in the path, such as `generateContent`.
    let verb: String?

    init(
        method: String, rawPath: String, query: [String: String] = [:], headers: [String: String] = [:],
        body: [UInt8] = []
    ) {
        self.method = method
        self.rawPath = rawPath
        self.query = query
        self.headers = headers
        self.body = body
        path = Self.decoded(rawPath)
        let segments = rawPath.split(separator: "/")
        guard let place = segments.lastIndex(where: { $0 == "models" || $0 == "deployments" }),
            place + 1 < segments.count
        else {
            pathModel = nil
            verb = nil
            return
        }
        let name = segments[place + 1]
        // A colon inside the model's name comes encoded.
        if let colon = name.lastIndex(of: ":") {
            pathModel = Self.decoded(String(name[..<colon]))
            verb = String(name[name.index(after: colon)...])
        } else {
            pathModel = Self.decoded(String(name))
            verb = nil
        }
    }

    /// Percent-decodes; what is no escape stays.
    static func decoded(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let byte = UInt8(String(decoding: bytes[(index + 1)...(index + 2)], as: UTF8.self), radix: 16)
            {
                out.append(byte)
                index += 3
            } else {
                out.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
