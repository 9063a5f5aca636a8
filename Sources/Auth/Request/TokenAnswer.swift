internal import Config
internal import Generation
internal import Glibc
internal import HTTPClient
internal import JSON

/// Where a JSON response contains the token and its lifetime: member names with dots between them.
struct TokenPaths {
    var token = "access_token"
    var expiry = "expires_in"
    /// Used if `expiry` is absent.
    var otherExpiry = "expires_on"
}

extension RefreshRun {
    /// Sends a request and returns the JSON object of a successful response.
    /// - Parameter advice: what the user should check if the endpoint rejects the request; ends the error message.
    func json(_ request: TokenRequest, advice: String) async throws(AuthFailure) -> JSONValue {
        let response = try await send(request)
        guard response.isGood else { throw refusal(response, request, advice: advice) }
        guard let answer = try? JSONValue(parsing: response.body), answer.members != nil else {
            throw failure(
                .providerUnavailable,
                "\(request.place) answered \(response.head.status) with a body that is not a JSON object; "
                    + "is it a token endpoint?")
        }
        return answer
    }

    /// Sends a request and returns the token of a successful response.
    func token(
        _ request: TokenRequest, _ paths: TokenPaths = TokenPaths(), advice: String
    ) async throws(AuthFailure) -> FetchedToken {
        let answer = try await json(request, advice: advice)
        return try token(in: answer, paths, from: request.place)
    }

    /// Reads the token and its lifetime from a response.
    /// - Parameter place: names the origin of the response in errors.
    func token(in answer: JSONValue, _ paths: TokenPaths, from place: String) throws(AuthFailure) -> FetchedToken {
        guard let text = answer.at(paths.token)?.string, !text.isEmpty else {
            throw failure(.providerUnavailable, "the response from \(place) has no string at '\(paths.token)'")
        }
        let secret = try checked(Secret(text), from: place)
        let expiry = answer.at(paths.expiry) ?? answer.at(paths.otherExpiry)
        var token = FetchedToken(value: secret)
        token.lifetime = try lifetime(expiry, from: place)
        token.refreshIn = (try? lifetime(answer["refresh_in"], from: place)) ?? nil
        return token
    }

    /// Returns `token` if it can be sent in a header: printable ASCII without spaces, within the size limit.
    func checked(_ token: Secret, from place: String) throws(AuthFailure) -> Secret {
        let isClean = token.withUnsafeBytes { $0.allSatisfy { $0 > 0x20 && $0 < 0x7F } }
        guard isClean, token.count <= SecretSource.maximumSize else {
            throw failure(
                .providerUnavailable,
                "the token from \(place) is too long or contains spaces, line breaks or other invalid characters")
        }
        return token
    }

    /// Seconds until the expiry in `value`; `nil` if it is absent.
    func lifetime(_ value: JSONValue?, from place: String) throws(AuthFailure) -> Double? {
        guard let value, !value.isNull else { return nil }
        guard let seconds = Expiry.seconds(value, now: Expiry.wallClock()) else {
            throw failure(.providerUnavailable, "the expiry from \(place) is neither a number nor a time")
        }
        guard seconds > 0 else {
            throw failure(
                .providerUnavailable, "the token from \(place) has already expired; check this machine's clock")
        }
        return seconds
    }

    /// The failure for a response with an error status.
    func refusal(_ response: TokenResponse, _ request: TokenRequest, advice: String) -> AuthFailure {
        let status = response.head.status
        let reported = EndpointError(response.body, request.redaction)
        let reason = reported.text.isEmpty ? "" : ": \(reported.text)"
        var failure: AuthFailure
        switch status {
        case 408, 410, 425, 429, 500...:
            // 410: Azure's identity service is being updated and is back within 70 s.
            failure = self.failure(.providerUnavailable, "\(request.place) answered \(status)\(reason)")
            if let seconds = response.head.header("retry-after").flatMap({ Int64($0) }), (1...3600).contains(seconds) {
                failure.error.retryAfterMilliseconds = seconds * 1000
            }
        case 300..<400:
            failure = self.failure(
                .authentication,
                "\(request.place) answered with a redirect (\(status)), which is not followed; configure the final URL")
        default:
            failure = self.failure(
                .authentication, "\(request.place) rejected the request (\(status))\(reason); \(advice)")
        }
        failure.error.httpStatus = status
        failure.error.providerCode = reported.code
        return failure
    }
}

/// The error in a token endpoint's response, redacted: `{error, error_description}` (OAuth 2, Entra ID, IMDS),
/// `{error: {status, message}}` (Google's APIs), `{statusCode, message}` (App Service).
private struct EndpointError {
    let code: String
    let text: String

    init(_ body: [UInt8], _ redaction: Redaction) {
        guard let answer = try? JSONValue(parsing: body), answer.members != nil else {
            (code, text) = ("", "")
            return
        }
        let error = answer["error"]
        let code = error?.string ?? error?["status"]?.string ?? ""
        let detail = answer["error_description"]?.string ?? error?["message"]?.string ?? answer["message"]?.string ?? ""
        self.code = redaction.clean(String(code.prefix(100)))
        text = redaction.clean([code, detail].filter { !$0.isEmpty }.joined(separator: ": "))
    }
}

/// Parses the forms in which issuers state an expiry.
enum Expiry {
    /// Seconds. A larger number is a Unix time, a smaller one a lifetime.
    private static let longestLifetime = 1e9

    static func wallClock() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Seconds from `now` (Unix time) until an expiry, which is a lifetime in seconds, a Unix time, or an RFC 3339
    /// time. Numbers may be in quotes. `nil` for anything else.
    static func seconds(_ value: JSONValue, now: Double) -> Double? {
        if let number = value.double { return number.isFinite ? seconds(number, now) : nil }
        guard let text = value.string else { return nil }
        // `Double` would also accept "inf", "nan" and "0x1p3".
        if text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }), let number = Double(text), number.isFinite {
            return seconds(number, now)
        }
        return instant(text).map { min($0 - now, longestLifetime) }
    }

    private static func seconds(_ number: Double, _ now: Double) -> Double {
        number > longestLifetime ? min(number - now, longestLifetime) : number
    }

    /// Parses `2030-01-31T23:59:59Z`, optionally with a fraction or a UTC offset.
    private static func instant(_ text: String) -> Double? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.count < 40 else { return nil }
        func number(_ range: Range<Int>) -> Int32? {
            bytes[range].allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
                ? Int32(String(decoding: bytes[range], as: UTF8.self)) : nil
        }
        let separators = [4, 7, 10, 13, 16].map { bytes[$0] }
        guard separators == Array("--T::".utf8) || separators == Array("-- ::".utf8),
            let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19), (1...12).contains(month)
        else { return nil }
        var time = tm()
        (time.tm_year, time.tm_mon, time.tm_mday) = (year - 1900, month - 1, day)
        (time.tm_hour, time.tm_min, time.tm_sec) = (hour, minute, second)
        var zone = bytes[19...]
        if zone.first == UInt8(ascii: ".") { zone = zone.dropFirst().drop { $0 >= 0x30 && $0 <= 0x39 } }
        if zone.elementsEqual("Z".utf8) || zone.elementsEqual("z".utf8) { return Double(timegm(&time)) }
        let start = zone.startIndex
        guard zone.count == 6, let sign = zone.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"),
            let hours = number((start + 1)..<(start + 3)), zone[start + 3] == UInt8(ascii: ":"),
            let minutes = number((start + 4)..<(start + 6))
        else { return nil }
        let offset = Double(hours * 3600 + minutes * 60)
        return Double(timegm(&time)) - (sign == UInt8(ascii: "-") ? -offset : offset)
    }
}

extension JSONValue {
    /// The value at a path of member names with dots between them. A member whose name is the whole path takes
    /// precedence.
    func at(_ path: String) -> JSONValue? {
        if let member = self[path] { return member.isNull ? nil : member }
        var value = self
        for name in path.split(separator: ".", omittingEmptySubsequences: false) {
            guard let next = value[String(name)] else { return nil }
            value = next
        }
        return value.isNull ? nil : value
    }
}
