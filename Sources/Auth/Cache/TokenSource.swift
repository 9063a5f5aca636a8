internal import Config

/// A way to get a token. Holds configuration only: files, variables and everything else that may change are read again
/// for each refresh.
protocol TokenSource: Sendable {
    /// Returns a new token. Runs on the loop of `run`, which bounds the time.
    func fetch(_ run: RefreshRun) async throws(AuthFailure) -> FetchedToken
}

extension AuthConfiguration.Method {
    /// The source of an entry's token; `nil` if the configuration itself contains the credential.
    var tokenSource: (any TokenSource)? {
        switch self {
        case .apiKey, .static: nil
        case .coin(let client): ClientCredentialsSource(client: client)
        case .googleServiceAccount(let account): ServiceAccountSource(account: account)
        case .googleADC(let adc): DefaultCredentialsSource(adc: adc)
        case .googleMetadata(let metadata): GoogleMetadataSource(metadata: metadata)
        case .azureAD(let application): EntraSource(application: application)
        case .azureManagedIdentity(let identity): ManagedIdentitySource(identity: identity)
        case .command(let command): CommandSource(command: command)
        case .file(let path): FileSource(path: path)
        }
    }
}
