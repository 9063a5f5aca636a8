internal import Generation
internal import HTTPClient
internal import JSON

/// A vendor's error, in any of the forms that servers use.
struct VendorError {
    var message = ""
    var type = ""
    var code = ""
    /// The HTTP status in the error body; 0 if there is none.
    var status = 0
    /// The retry delay in the error body, in milliseconds.
    var retryAfterMilliseconds: Int64?
    /// Google's reason, such as `API_KEY_INVALID`; it is more specific than the status.
    var reason = ""

    /// Reads an error's body: `{"error":{…}}`, `{"error":"…"}`, `{"detail":…}`, `{"message":…}`, any of them in an
    /// array.
    init(_ root: JSONElement) {
        let root = root.kind == .array ? root.first ?? root : root
        if let error = root["error"] {
            read(error)
            if message.isEmpty, let words = root["message"]?.string { message = words }
        } else if let detail = root["detail"] {
            message = detail.string ?? detail.first?["msg"]?.string ?? detail.text
        } else {
            read(root)
        }
    }

    /// The error in the body of a response with an error status, in whatever format.
    init(body: [UInt8], status: Int, providerName: String, parser: JSONParser) {
        if let root = try? parser.parse(body) {
            self.init(root)
        } else {
            let words = PageText.beginning(body)
            self.init(words: words.isEmpty ? "" : "\(providerName) returned HTTP \(status): \(words)")
        }
    }

    /// The error inside a response with a success status; `nil` if there is none.
    init?(inAnswer root: JSONElement, isErrorEvent: Bool = false) {
        let inner = root.kind == .array ? root.first ?? root : root
        let hasError = inner["error"].map(Self.saysSomething) ?? false
        guard hasError || isErrorEvent || (inner["object"]?.string == "error") else { return nil }
        self.init(root)
    }

    /// Some servers include an empty `error` in every response.
    private static func saysSomething(_ error: JSONElement) -> Bool {
        switch error.kind {
        case .null: false
        case .bool: error.bool == true
        case .number: error.int != 0
        case .string: error.nonEmptyString != nil
        case .array, .object: error.count > 0
        }
    }

    private mutating func read(_ error: JSONElement) {
        guard error.kind == .object else {
            if Self.saysSomething(error) { message = error.string ?? error.text }
            return
        }
        message = error["message"].map { $0.string ?? $0.text } ?? ""
        type = error["type"]?.string ?? error["status"]?.string ?? ""
        if let number = error["code"]?.int {
            // Google and some compatible servers repeat the status here; `type` is more specific.
            code = type.isEmpty ? String(number) : ""
            status = number
        } else {
            code = error["code"]?.string ?? ""
            // Azure's are numbers too.
            status = Int(code) ?? 0
        }
        if let number = error["status_code"]?.int ?? error["status"]?.int { status = number }
        if let inner = error["innererror"]?["code"]?.string, inner == "ResponsibleAIPolicyViolation" {
            code = "content_filter"
        }
        for list in [error["errors"], error["details"]] {
            guard let list else { continue }
            read(details: list)
        }
    }

    private mutating func read(details: JSONElement) {
        if let word = details["reason"]?.string { take(reason: word) }
        for detail in details.elements {
            if let word = detail["reason"]?.string { take(reason: word) }
            guard let delay = detail["retryDelay"]?.string, delay.hasSuffix("s"), let seconds = Double(delay.dropLast())
            else { continue }
            retryAfterMilliseconds = RetryHint.clamp(seconds * 1000)
        }
    }

    /// Keeps the first reason, unless a later one names the credential.
    private mutating func take(reason word: String) {
        if reason.isEmpty || Self.credentialReasons.contains(word) { reason = word }
    }

    // MARK: - Meaning

    /// The error for one inside a response with a success status: its body decides the kind.
    func generationError(for model: ConfiguredModel) -> GenerationError {
        let byStatus = 400..<600 ~= status ? Self.kind(status: status) : .providerUnavailable
        let kind = specialKind(status) ?? kindByType ?? byStatus
        return make(kind, httpStatus: 200, model: model)
    }

    /// The error for a response with an error status.
    func generationError(httpStatus: Int, head: HTTPResponseHead, model: ConfiguredModel) -> GenerationError {
        if 300..<400 ~= httpStatus { return Self.redirect(httpStatus, head, model) }
        var error = make(specialKind(httpStatus) ?? Self.kind(status: httpStatus), httpStatus: httpStatus, model: model)
        if let hint = RetryHint.milliseconds(head), hint > 0 {
            error.retryAfterMilliseconds = max(hint, retryAfterMilliseconds ?? 0)
        }
        switch head.header("x-should-retry") {
        case "true": error.isRetryable = true
        case "false": error.isRetryable = false
        default: break
        }
        return error
    }

    /// The error for a redirect. It is not followed: the request holds a credential, and a server that
    /// redirects is not the API. A retry would be redirected again.
    private static func redirect(
        _ status: Int, _ head: HTTPResponseHead, _ model: ConfiguredModel
    ) -> GenerationError {
        let target = head.header("location").map { " to \(place($0))" } ?? ""
        var error = VendorError(
            words:
                "\(model.providerName) returned a redirect (HTTP \(status))\(target), which is not followed; set "
                + "api_base in the model's config to the address of the API itself"
        ).make(.badProviderResponse, httpStatus: status, model: model)
        error.isRetryable = false
        return error
    }

    /// A URL without the parts that may be secret: user, password and query.
    static func place(_ location: String) -> String {
        var text = location.prefix { $0 != "?" && $0 != "#" }
        if let slashes = text.firstRange(of: "//") {
            let host = text[slashes.upperBound...].prefix { $0 != "/" }
            if let at = host.lastIndex(of: "@") {
                text = text[..<slashes.upperBound] + text[text.index(after: at)...]
            }
        }
        let shown = text.unicodeScalars.prefix(201).map { 0x20..<0x7F ~= $0.value ? Character($0) : "?" }
        return String(shown).truncated(toBytes: 200)
    }

    private func make(_ kind: GenerationError.Kind, httpStatus: Int, model: ConfiguredModel) -> GenerationError {
        let words =
            message.isEmpty ? "\(model.providerName) returned HTTP \(httpStatus) without an error message" : message
        var error = GenerationError(kind, AnswerGate.beginning(words))
        error.provider = model.providerName
        error.model = model.name
        error.httpStatus = httpStatus
        error.providerCode = AnswerGate.beginning(code.isEmpty ? type : code)
        // A rate limit always gets a delay: one second if the vendor names none, or 0.
        let wait = retryAfterMilliseconds.flatMap { $0 > 0 ? $0 : nil }
        error.retryAfterMilliseconds = wait ?? (kind == .rateLimit ? 1000 : nil)
        return error
    }

    /// Kinds that do not follow from the status.
    private func specialKind(_ status: Int) -> GenerationError.Kind? {
        if namesCredential(status) { return .authentication }
        if code == "insufficient_quota" || type == "insufficient_quota" { return .quotaExhausted }
        if code == "content_filter" || code == "content_policy_violation" { return .contentFiltered }
        if code == "context_length_exceeded" { return .contextLength }
        guard [0, 400, 413, 422].contains(status) else { return nil }
        let requestTypes = ["", "invalid_request_error", "BadRequestError", "INVALID_ARGUMENT"]
        guard requestTypes.contains(type) else { return nil }
        let words = message.lowercased()
        let hints = [
            "maximum context length", "context length", "context window", "prompt is too long", "prompt too long",
            "exceeds the maximum number of tokens", "exceed context limit",
        ]
        return hints.contains { words.contains($0) } ? .contextLength : nil
    }

    /// Whether the credential is the cause, whatever the status: Google returns 400 for a wrong key, and so do some
    /// compatible servers.
    private func namesCredential(_ status: Int) -> Bool {
        if [reason, type, code].contains(where: Self.credentialReasons.contains) { return true }
        if code == "invalid_api_key" || type == "invalid_api_key" || type == "authentication_error" { return true }
        guard status == 400 else { return false }
        let words = message.lowercased()
        return ["api key not valid", "incorrect api key", "invalid api key", "api key expired", "api_key_invalid"]
            .contains { words.contains($0) }
    }

    /// Google's words for a credential that is wrong.
    private static let credentialReasons: Set<String> = [
        "API_KEY_INVALID", "ACCESS_TOKEN_EXPIRED", "ACCESS_TOKEN_TYPE_UNSUPPORTED", "CREDENTIALS_MISSING",
    ]

    private var kindByType: GenerationError.Kind? {
        switch type {
        case "invalid_request_error", "BadRequestError", "request_too_large", "INVALID_ARGUMENT",
            "FAILED_PRECONDITION", "OUT_OF_RANGE":
            return .invalidRequest
        case "UNAUTHENTICATED": return .authentication
        case "permission_error", "PERMISSION_DENIED": return .permission
        case "not_found_error", "NOT_FOUND": return .unknownModel
        case "rate_limit_error", "rate_limit_exceeded", "tokens", "requests", "RESOURCE_EXHAUSTED": return .rateLimit
        case "billing_error": return .quotaExhausted
        case "overloaded_error", "UNAVAILABLE": return .overloaded
        case "server_error", "api_error", "internal_error", "internal_server_error", "timeout_error", "conflict_error",
            "INTERNAL", "DEADLINE_EXCEEDED", "ABORTED", "UNKNOWN":
            return .providerUnavailable
        default: break
        }
        switch code {
        case "model_not_found": return .unknownModel
        case "rate_limit_exceeded": return .rateLimit
        case "invalid_prompt": return .invalidRequest
        default: return nil
        }
    }

    static func kind(status: Int) -> GenerationError.Kind {
        switch status {
        case 401: .authentication
        case 402: .quotaExhausted
        case 403: .permission
        case 404: .unknownModel
        // Google returns 499 for a call that was cancelled on its side.
        case 408, 409, 499: .providerUnavailable
        case 429: .rateLimit
        case 498, 503, 529: .overloaded
        case 500...599: .providerUnavailable
        case 400...499: .invalidRequest
        default: .badProviderResponse
        }
    }
}

/// The retry delay in a vendor's response headers.
enum RetryHint {
    /// The larger of `retry-after-ms` and `retry-after` (seconds or a date): Azure sends 0 in one and 1 in the other.
    static func milliseconds(_ head: HTTPResponseHead) -> Int64? {
        var hint: Int64?
        if let text = head.header("retry-after-ms"), let value = Double(text) { hint = clamp(value) }
        if let text = head.header("retry-after") {
            let seconds = Double(text) ?? HTTPDate.secondsFromNow(text)
            if let seconds { hint = max(hint ?? 0, clamp(seconds * 1000)) }
        }
        return hint
    }

    static func clamp(_ milliseconds: Double) -> Int64 {
        guard milliseconds.isFinite else { return 0 }
        return Int64(min(max(milliseconds, 0), 86_400_000))
    }
}

extension VendorError {
    /// An error with only a message.
    init(words: String = "") { message = words }
}
