extension AuthConfiguration.Method {
    /// Whether a token is made from files or programs outside the configuration, which may have changed although the
    /// entry is the same.
    public var readsOutside: Bool {
        switch self {
        case .apiKey, .static, .coin, .googleMetadata, .azureManagedIdentity: false
        case .googleServiceAccount(let account): account.credentialsFile != nil
        case .azureAD(let application):
            application.certificateFile != nil || application.federatedTokenFile != nil
        case .googleADC, .command, .file: true
        }
    }
}
