internal import Config
internal import Generation
internal import Glibc
internal import HTTPClient
internal import JSON

/// Where an answer has the token and its lifetime: names with dots between them.
struct TokenPaths {
    var token = "access_token"
    var expiry = "expires_in"
    /// Looked at where `expiry` is absent.
    var otherExpiry = "expires_on"
}

extension RefreshRun {
    /// Sends a request whose good answer is a JSON object, and returns that.
    /// - Parameter advice: what to do where the endpoint refuses.
    func json(_ request: TokenRequest, advice: String) async throws(AuthFailure) -> JSONValue {
        let response = try await send(request)
        guard response.isGood else { throw refusal(response, request, advice: advice) }
        guard let answer = try? JSONValue(parsing: response.body), answer.members != nil else {
            throw failure(
                .providerUnavailable,
                "\(request.place) answered \(response.head.status) with something that is not a JSON object; "
                    + "is it a token endpoint?")
        }
        return answer
    }

    /// Sends a request whose good answer holds a token.
    func token(
        _ request: TokenRequest, _ paths: TokenPaths = TokenPaths(), advice: String
    ) async throws(AuthFailure) -> FetchedToken {
        let answer = try await json(request, advice: advice)
        return try token(in: answer, paths, from: request.place)
    }

    /// The token in an answer.
    func token(in answer: JSONValue, _ paths: TokenPaths, from place: String) throws(AuthFailure) -> FetchedToken {
        guard let text = answer.at(paths.token)?.string, !text.isEmpty else {
            throw failure(.providerUnavailable, "\(place) answered without text at '\(paths.token)'")
        }
        let secret = try checked(Secret(text), from: place)
        let expiry = answer.at(paths.expiry) ?? answer.at(paths.otherExpiry)
        var token = FetchedToken(value: secret)
        token.lifetime = try lifetime(expiry, from: place)
        token.refreshIn = (try? lifetime(answer["refresh_in"], from: place)) ?? nil
        return token
    }

    /// A token that may stand in a header.
    func checked(_ token: Secret, from place: String) throws(AuthFailure) -> Secret {
        let isClean = token.withUnsafeBytes { $0.allSatisfy { $0 > 0x20 && $0 < 0x7F } }
        guard isClean, token.count <= SecretSource.maximumSize else {
            throw failure(
                .providerUnavailable,
                "\(place) gave a token with spaces, line breaks or other characters that no token has, or a huge one")
        }
        return token
    }

    /// Seconds until an expiry, or `nil` where there is none.
    func lifetime(_ value: JSONValue?, from place: String) throws(AuthFailure) -> Double? {
        guard let value, !value.isNull else { return nil }
        guard let seconds = Expiry.seconds(value, now: Expiry.wallClock()) else {
            throw failure(.providerUnavailable, "\(place) gave an expiry that is neither a number nor a time")
        }
        guard seconds > 0 else {
            throw failure(
                .providerUnavailable, "\(place) gave a token that has expired already; is this machine's clock right?")
        }
        return seconds
    }

    /// What an answer with an error status means.
    func refusal(_ response: TokenResponse, _ request: TokenRequest, advice: String) -> AuthFailure {
        let status = response.head.status
        let words = VendorWords(response.body, request.redaction)
        let said = words.text.isEmpty ? "" : ": \(words.text)"
        var failure: AuthFailure
        switch status {
        case 408, 410, 425, 429, 500...:
            // 410: Azure's identity service is being updated and is back within 70 s.
            failure = self.failure(.providerUnavailable, "\(request.place) answered \(status)\(said)")
            if let seconds = response.head.header("retry-after").flatMap({ Int64($0) }), (1...3600).contains(seconds) {
                failure.error.retryAfterMilliseconds = seconds * 1000
            }
        case 300..<400:
            failure = self.failure(
                .authentication, "\(request.place) redirects (\(status)), which is not followed; name the final URL")
        default:
            failure = self.failure(.authentication, "\(request.place) refused (\(status))\(said); \(advice)")
        }
        failure.error.httpStatus = status
        failure.error.providerCode = words.code
        return failure
    }
}

/// What a vendor says about an error, scrubbed: `{error, error_description}` (OAuth2, Entra, IMDS),
/// `{error: {status, message}}` (Google's APIs), `{statusCode, message}` (App Service).
private struct VendorWords {
    let code: String
    let text: String

    init(_ body: [UInt8], _ redaction: Redaction) {
        guard let answer = try? JSONValue(parsing: body), answer.members != nil else {
            (code, text) = ("", "")
            return
        }
        let error = answer["error"]
        let code = error?.string ?? error?["status"]?.string ?? ""
        let words = answer["error_description"]?.string ?? error?["message"]?.string ?? answer["message"]?.string ?? ""
        self.code = redaction.clean(String(code.prefix(100)))
        text = redaction.clean([code, words].filter { !$0.isEmpty }.joined(separator: ": "))
    }
}

/// Expiries as issuers write them.
enum Expiry {
    /// No lifetime is that long, and no instant that early: what is larger counts from 1970.
    private static let longestLifetime = 1e9

    static func wallClock() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Seconds from `now` (seconds since 1970) until an expiry: a lifetime, an instant since 1970, or an RFC 3339 time;
    /// numbers may be in quotes. `nil` where it is none of these.
    static func seconds(_ value: JSONValue, now: Double) -> Double? {
        if let number = value.double { return number.isFinite ? seconds(number, now) : nil }
        guard let text = value.string else { return nil }
        // Swift also reads "inf", "nan" and "0x1p3".
        if text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }), let number = Double(text), number.isFinite {
            return seconds(number, now)
        }
        return instant(text).map { min($0 - now, longestLifetime) }
    }

    private static func seconds(_ number: Double, _ now: Double) -> Double {
        number > longestLifetime ? min(number - now, longestLifetime) : number
    }

    /// `2030-01-31T23:59:59Z`, with a fraction and another zone where there is one.
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
    /// The value at a path of names with dots between them; where an object has a member of the whole name, that.
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
