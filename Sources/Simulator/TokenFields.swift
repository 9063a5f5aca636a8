internal import Encodings
internal import HTTPServer
internal import JSON

/// The fields of a token request, from its form, JSON body, query and assertion.
struct TokenFields {
    /// The fields of the form, or the strings of the JSON body.
    private(set) var form: [String: String] = [:]
    private let query: [String: String]
    /// The claims of a signed assertion.
    private(set) var claims: JSONValue?
    private(set) var header: JSONValue?

    init(_ request: SimulatedRequest) {
        query = request.query
        let text = String(decoding: request.body, as: UTF8.self)
        if request.headers["content-type"]?.hasPrefix("application/json") == true {
            for member in (try? JSONValue(parsing: request.body))?.members ?? [] {
                form[member.key] = member.value.string ?? member.value.text
            }
        } else {
            for pair in text.split(separator: "&") {
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                let value = parts.count > 1 ? parts[1].replacing("+", with: " ") : ""
                form[HTTPServerRequest.decoded(String(parts[0]))] = HTTPServerRequest.decoded(String(value))
            }
        }
        if let basic = request.headers["authorization"], basic.hasPrefix("Basic ") {
            let pair = String(decoding: Base64.decode(basic.utf8.dropFirst(6)), as: UTF8.self)
            let parts = pair.split(separator: ":", maxSplits: 1).map { HTTPServerRequest.decoded(String($0)) }
            if parts.count == 2 { (form["basic_id"], form["basic_secret"]) = (parts[0], parts[1]) }
        }
        let assertion = (form["assertion"] ?? form["client_assertion"] ?? "").split(separator: ".")
        if assertion.count == 3 {
            header = try? JSONValue(parsing: Base64.decode(assertion[0].utf8))
            claims = try? JSONValue(parsing: Base64.decode(assertion[1].utf8))
        }
    }

    subscript(name: String) -> String { form[name] ?? "" }

    /// The words in all fields and query arguments, which may be directives.
    var words: [String] {
        var texts = Array(form.values)
        texts += query.map { $0.value.isEmpty ? $0.key : "\($0.key)=\($0.value)" }
        texts += query.values
        if let issuer = claims?["iss"]?.string { texts.append(issuer) }
        return texts.flatMap { text in
            text.split { ",;# ".contains($0) }.map(String.init)
        }
    }

    var json: JSONValue {
        .object(form.sorted { $0.key < $1.key }.map { (key: $0.key, value: .string($0.value)) })
    }
}

/// The directives that a request's words select.
struct TokenDirectives {
    private var values: [String: String] = [:]
    private let count: Int

    init(words: [String], count: Int) {
        self.count = count
        for word in words {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            if let name = parts.first { values[name] = parts.count > 1 ? parts[1] : "" }
        }
    }

    private func number(_ name: String) -> Int? { values[name].flatMap { Int($0) } }

    /// The token's lifetime in seconds; a hundred years if it does not expire.
    var lifetime: Double {
        switch values["expires"] {
        case nil: 3600
        case "none", "soon": 3_000_000_000
        case "past": 0
        case .some(let text):
            Double(text.hasPrefix("text:") ? String(text.dropFirst(5)) : text)
                .flatMap { $0.isFinite ? min($0, 3e9) : nil } ?? 3600
        }
    }

    /// The lifetime as the response reports it; `nil` omits it.
    func expiry(isText: Bool, add: Int = 0) -> JSONValue? {
        switch values["expires"] {
        case "none": nil
        case "past": isText ? .string(String(add - 10)) : .int(add - 10)
        case "soon": "soon"
        case .some(let text) where text.hasPrefix("text:"): number(lifetime + Double(add), isText: true)
        default: number(lifetime + Double(add), isText: isText)
        }
    }

    private func number(_ value: Double, isText: Bool) -> JSONValue {
        let whole = Int(exactly: value)
        if isText { return .string(whole.map(String.init) ?? "\(value)") }
        return whole.map(JSONValue.int) ?? .double(value)
    }

    func failure(_ endpoint: TokenEndpoints.Endpoint, _ fields: TokenFields) -> SimulatedAnswer? {
        func raw(_ text: String, type: String = "application/json") -> SimulatedAnswer {
            SimulatedAnswer(headers: [("content-type", type)], pieces: [.init(bytes: Array(text.utf8))])
        }
        if let first = number("fail_first"), count <= first { return endpoint.error("server_error", status: 503) }
        if values["echo"] != nil {
            return endpoint.error("invalid_client", fields.json.text + " " + fields.words.joined(separator: " "))
        }
        if let status = number("status") {
            return endpoint.error(status >= 500 ? "server_error" : "invalid_client", status: status)
        }
        if values["garbage"] != nil { return raw("{\"access_token\": \u{1}]") }
        if values["html"] != nil { return raw("<html>Please log in</html>", type: "text/html") }
        if values["empty"] != nil { return raw("") }
        if values["truncated"] != nil { return raw("{\"access_token\": \"sim-tok") }
        if values["huge"] != nil {
            return raw("{\"access_token\": \"" + String(repeating: "x", count: 4 << 20) + "\"}")
        }
        return nil
    }

    func apply(to answer: inout SimulatedAnswer) {
        if let delay = number("delay") {
            if answer.pieces.isEmpty { answer.pieces = [.init(bytes: [])] }
            answer.pieces[0].delayMilliseconds += delay
        }
        if values["close"] != nil { answer.end = .close }
        if values["stall"] != nil {
            answer.pieces = []
            answer.end = .stall
        }
    }
}
