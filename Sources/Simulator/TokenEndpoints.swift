internal import EventLoop
internal import JSON

/// The token endpoints of all issuers: COIN, Google (grants, metadata server, STS, impersonation), Entra ID and Azure's
/// managed identities. They validate requests as strictly as the issuers, but do not verify signatures.
///
/// A token is `sim-token-N`. Directives in the query or in any field of the form, for example the client's id, the
/// scope or a field `sim`, control the response. They are words separated by `,`, `;`, `#` or spaces:
///
/// - `expires=N`: the lifetime in seconds, decimals allowed (default 3600); `expires=none` omits it, `expires=text:N`
///   returns it as a string, `expires=past` is in the past, `expires=soon` is not a number
/// - `delay=MS` delays the response, `stall` never responds, `close` closes the connection
/// - `status=N` returns an error, `echo` one with all fields in it, `fail_first=N` one for the first N requests
/// - `garbage`, `html`, `empty`, `huge`, `truncated`: such a body with status 200
///
/// `/sim/tokens` counts requests and tokens, `/sim/tokens/set?WORDS` applies directives to all requests,
/// `/sim/tokens/revoke[?token=T]` revokes one token or all, `/sim/tokens/last` shows the last request of each path with
/// its fields, `/sim/tokens/reset` clears the state. Each address of the simulator has its own state.
enum TokenEndpoints {
    private struct Book {
        var requests: [String: Int] = [:]
        var issued: [String: Int] = [:]
        var last: [String: JSONValue] = [:]
        /// The tokens and their expiry in nanoseconds of CLOCK_MONOTONIC.
        var tokens: [String: Instant] = [:]
        var words: [String] = []
    }

    private static let books = Locked<[String: Book]>([:])
    private static let counter = Locked(0)

    /// Whether a token was issued here and is neither expired nor revoked.
    /// - Parameter address: the simulator's own, `127.0.0.1:PORT`, as in the requests' `Host`.
    static func isValid(_ token: String, at address: String) -> Bool {
        let now = Instant.now()
        return books.withLock { $0[address]?.tokens[token].map { now < $0 } ?? false }
    }

    /// The response, if the path is a token endpoint or a control path; otherwise `nil`.
    static func answer(_ request: SimulatedRequest) -> SimulatedAnswer? {
        let address = request.headers["host"] ?? ""
        if request.path.hasPrefix("/sim/tokens") { return control(request, address) }
        guard let endpoint = Endpoint(request) else { return nil }
        let fields = TokenFields(request)
        let (count, words) = books.withLock { books -> (Int, [String]) in
            books[address, default: Book()].requests[request.path, default: 0] += 1
            books[address]?.last[request.path] = fields.json
            return (books[address]?.requests[request.path] ?? 0, books[address]?.words ?? [])
        }
        let directives = TokenDirectives(words: fields.words + words, count: count)
        var answer =
            directives.failure(endpoint, fields) ?? endpoint.problem(request, fields) ?? endpoint.fact(request)
        if answer == nil {
            let token = issue(request.path, address, directives)
            answer = endpoint.grant(token, directives)
        }
        guard var answer else { return nil }
        if endpoint == .googleMetadata { answer.headers.append(("Metadata-Flavor", "Google")) }
        answer.headers.append(("cache-control", "no-store"))
        directives.apply(to: &answer)
        return answer
    }

    private static func issue(_ path: String, _ address: String, _ directives: TokenDirectives) -> String {
        let number = counter.withLock { count in
            count += 1
            return count
        }
        let token = "sim-token-\(number)"
        let end = Instant.now() + .seconds(directives.lifetime)
        books.withLock { books in
            books[address, default: Book()].tokens[token] = end
            books[address]?.issued[path, default: 0] += 1
        }
        return token
    }

    private static func control(_ request: SimulatedRequest, _ address: String) -> SimulatedAnswer {
        func counts(_ counts: [String: Int]) -> JSONValue {
            .object(counts.sorted { $0.key < $1.key }.map { (key: $0.key, value: .int($0.value)) })
        }
        return books.withLock { books in
            var book = books[address] ?? Book()
            defer { books[address] = book }
            switch request.path {
            case "/sim/tokens":
                return .json([
                    "requests": counts(book.requests), "issued": counts(book.issued),
                    "valid": .int(book.tokens.values.count { $0 > Instant.now() }),
                ])
            case "/sim/tokens/last":
                return .json(.object(book.last.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value) }))
            case "/sim/tokens/set":
                book.words = request.query.map { $0.value.isEmpty ? $0.key : "\($0.key)=\($0.value)" }
            case "/sim/tokens/revoke":
                if let token = request.query["token"] { book.tokens[token] = nil } else { book.tokens = [:] }
            case "/sim/tokens/reset": book = Book()
            default: return .json(["error": "no such control path"], status: 404)
            }
            return .json(["ok": true])
        }
    }
}
