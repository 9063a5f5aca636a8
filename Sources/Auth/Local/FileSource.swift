internal import Config
internal import Generation

/// A file that holds a token and nothing else. While its token is in use it is looked at every second: whoever renews
/// it writes a new one over it.
struct FileSource: TokenSource {
    /// Seconds between two looks.
    private static let interval = 1.0

    let path: String

    func fetch(_ run: RefreshRun) async throws(AuthFailure) -> FetchedToken {
        let token = try await run.tokenFile(path, "the token")
        return FetchedToken(value: token, refreshIn: Self.interval)
    }
}

extension RefreshRun {
    /// The token that a file holds.
    func tokenFile(_ path: String, _ what: String) async throws(AuthFailure) -> Secret {
        let secret = try await file(path, what)
        let token = secret.withUnsafeBytes { Secret(Array($0).trimmed) }
        guard !token.isEmpty else { throw failure(.authentication, "\(what): the file holds nothing") }
        return try checked(token, from: "the file")
    }
}

extension [UInt8] {
    /// Without spaces and line breaks around it.
    var trimmed: ArraySlice<UInt8> {
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
        guard let start = firstIndex(where: { !isSpace($0) }), let end = lastIndex(where: { !isSpace($0) }) else {
            return []
        }
        return self[start...end]
    }
}
