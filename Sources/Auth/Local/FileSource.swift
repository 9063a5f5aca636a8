internal import Config
internal import Generation

/// Reads a token from a file that contains nothing else. While the token is in use, the file is read again at most once
/// per second, because another program replaces its content.
struct FileSource: TokenSource {
    /// Seconds until the file is read again.
    private static let interval = 1.0

    let path: String

    func fetch(_ run: RefreshRun) async throws(AuthFailure) -> FetchedToken {
        let token = try await run.tokenFile(path, "the token")
        return FetchedToken(value: token, refreshIn: Self.interval)
    }
}

extension RefreshRun {
    /// The content of a file as a token, without surrounding white space.
    /// - Parameter what: names the file in errors.
    func tokenFile(_ path: String, _ what: String) async throws(AuthFailure) -> Secret {
        let secret = try await file(path, what)
        let token = secret.withUnsafeBytes { Secret(Array($0).trimmed) }
        guard !token.isEmpty else { throw failure(.authentication, "\(what): the file is empty") }
        return try checked(token, from: "the file")
    }
}

extension [UInt8] {
    /// These bytes without ASCII white space at both ends.
    var trimmed: ArraySlice<UInt8> {
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
        guard let start = firstIndex(where: { !isSpace($0) }), let end = lastIndex(where: { !isSpace($0) }) else {
            return []
        }
        return self[start...end]
    }
}
