internal import Generation
internal import GenwireClient

/// The exit codes of `genwire`, based on `sysexits.h`. `--help` prints them, and a test compares them with the README.
enum ExitStatus: Int32, CaseIterable {
    case done = 0
    case usage = 64
    case unreachable = 69
    case failed = 70
    case output = 74
    case temporary = 75
    case denied = 77
    case interrupted = 130

    /// A description, short enough for one line of `--help`.
    var meaning: String {
        switch self {
        case .done: "success"
        case .usage: "invalid usage, including a malformed address"
        case .unreachable: "no server: nothing is listening, no response, or not a Genwire server"
        case .failed: "any other failure; a retry does not help"
        case .output: "cannot write the output"
        case .temporary: "temporary, retry later: rate limit, overload, timeout, cut-off response"
        case .denied: "authentication or permission failure: vendor, server or socket"
        case .interrupted: "interrupted by Ctrl-C"
        }
    }

    /// All codes with their descriptions, one per line.
    static var table: String {
        allCases.map { status in
            let code = String(status.rawValue)
            return "  " + code + String(repeating: " ", count: 5 - code.count) + status.meaning
        }.joined(separator: "\n")
    }

    /// The exit code for a failed call.
    init(_ error: ClientError) {
        switch error.unreachable {
        case .malformedAddress: self = .usage
        case .notPermitted, .untrusted: self = .denied
        case .absent, .refused, .silent, .notGenwire: self = .unreachable
        case nil: self = error.detail.map { Self($0) } ?? Self(code: error.code)
        }
    }

    /// Follows the server's `retryable` flag, with two exceptions: a shutdown is temporary, because a new server
    /// usually follows, and an invalid provider response (code 13) is not.
    private init(_ detail: GenerationError) {
        switch detail.kind {
        case .authentication, .permission: self = .denied
        case .shuttingDown: self = .temporary
        case .badProviderResponse: self = .failed
        default: self = detail.isRetryable ? .temporary : .failed
        }
    }

    /// The exit code for an error without a detail. Code 8 then means that a size limit was exceeded, so a retry does
    /// not help.
    private init(code: Int32) {
        switch code {
        case 7, 16: self = .denied
        case 4, 14: self = .temporary
        default: self = .failed
        }
    }
}
