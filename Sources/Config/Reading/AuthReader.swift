internal import Encodings

/// The reader of the entries of `auth`. Each type has its own keys; `type`, `header` and `prefix` go with all.
enum AuthReader {
    private static let commonKeys = ["type", "header", "prefix"]

    private static func keys(of kind: AuthConfiguration.Kind) -> [String] {
        switch kind {
        case .apiKey: ["api_key"]
        case .coin:
            [
                "token_url", "client_id", "client_secret", "client_auth", "scope", "extra", "token_path", "expiry_path",
            ]
        case .googleServiceAccount: ["credentials_file", "credentials_json", "token_uri", "scope"]
        case .googleADC: ["credentials_file", "token_uri", "scope"]
        case .googleMetadata: ["endpoint", "scope"]
        case .azureAD:
            [
                "tenant_id", "client_id", "client_secret", "certificate_file", "federated_token_file", "authority_host",
                "scope",
            ]
        case .azureManagedIdentity: ["client_id", "resource", "endpoint"]
        case .command: ["command", "token_path", "expiry_path"]
        case .file: ["path"]
        case .static: ["token"]
        }
    }

    /// The entry at `cursor`; `nil` where too little of it is there. Mistakes are reported in any case.
    static func read(_ cursor: Cursor, name: String) -> AuthConfiguration? {
        guard case .mapping = cursor.node.value else {
            cursor.reportExpected("a map")
            return nil
        }
        guard let type = cursor.node["type"] else {
            let names = AuthConfiguration.Kind.allCases.map(\.rawValue).joined(separator: ", ")
            cursor.reading.report(
                "is missing; valid: \(names)", at: cursor.node.line, key: Path.appending("type", to: cursor.path))
            return nil
        }
        let typeCursor = Cursor(
            node: type, path: Path.appending("type", to: cursor.path), reading: cursor.reading)
        guard let kind = kind(typeCursor),
            let section = cursor.section(keys: commonKeys + keys(of: kind))
        else { return nil }
        let header = section["header"]?.headerName()
        let prefix = section["prefix"]?.headerText(mayBeEmpty: true)
        guard let method = method(kind, section) else { return nil }
        var auth = AuthConfiguration(name: name, method: method)
        auth.header = header
        auth.prefix = prefix
        return auth
    }

    private static func kind(_ cursor: Cursor) -> AuthConfiguration.Kind? {
        guard let value = cursor.expanded(expected: "an auth type") else { return nil }
        if let kind = AuthConfiguration.Kind(rawValue: value.text) { return kind }
        let names = AuthConfiguration.Kind.allCases.map(\.rawValue)
        let shown = value.isInterpolated ? "" : " \"\(Path.printable(value.text, limit: 40))\""
        cursor.report("unknown auth type\(shown)\(NearestName.hint(for: value.text, among: names))")
        return nil
    }

    private static func method(_ kind: AuthConfiguration.Kind, _ section: Section) -> AuthConfiguration.Method? {
        switch kind {
        case .apiKey: section.required("api_key")?.secret().map { .apiKey($0) }
        case .coin: coin(section).map { .coin($0) }
        case .googleServiceAccount: googleServiceAccount(section).map { .googleServiceAccount($0) }
        case .googleADC: .googleADC(googleADC(section))
        case .googleMetadata: .googleMetadata(.init(endpoint: url("endpoint", section), scope: scope(section)))
        case .azureAD: azureAD(section).map { .azureAD($0) }
        case .azureManagedIdentity:
            .azureManagedIdentity(
                .init(
                    clientID: section["client_id"]?.text(), resource: section["resource"]?.text(),
                    endpoint: url("endpoint", section)))
        case .command: command(section).map { .command($0) }
        case .file: section.required("path")?.text().map { .file(path: $0) }
        case .static: section.required("token")?.secret().map { .static($0) }
        }
    }

    private static func coin(_ section: Section) -> AuthConfiguration.OAuthClient? {
        let tokenURL = section.required("token_url")?.url(allowsPlaceholder: true)
        let clientID = section["client_id"].map { $0.text() } ?? coinClientID(section)
        let clientSecret = section.required("client_secret")?.secret()
        let clientAuth = section["client_auth"]?.choice(AuthConfiguration.OAuthClient.ClientAuth.self)
        let (scope, extra) = (scope(section), section["extra"]?.textMap())
        let (tokenPath, expiryPath) = (section["token_path"]?.text(), section["expiry_path"]?.text())
        guard let tokenURL, let clientID, let clientSecret else { return nil }
        var client = AuthConfiguration.OAuthClient(tokenURL: tokenURL, clientID: clientID, clientSecret: clientSecret)
        client.clientAuth = clientAuth ?? client.clientAuth
        client.scope = scope
        client.extra = extra ?? [:]
        client.tokenPath = tokenPath ?? client.tokenPath
        client.expiryPath = expiryPath ?? client.expiryPath
        return client
    }

    /// The client that the environment names, for files that do not.
    private static func coinClientID(_ section: Section) -> String? {
        let variable = "COIN_CONSUMER_CLIENT_ID"
        let value = section.cursor.reading.environment[variable] ?? ""
        guard value.isEmpty else { return value }
        section.cursor.reading.report(
            "is missing, and the environment variable \(variable) is not set", at: section.line,
            key: Path.appending("client_id", to: section.path), isMissingVariable: true)
        return nil
    }

    private static func googleServiceAccount(_ section: Section) -> AuthConfiguration.GoogleServiceAccount? {
        var account = AuthConfiguration.GoogleServiceAccount()
        account.credentialsFile = section["credentials_file"]?.text()
        account.credentialsJSON = section["credentials_json"]?.secret(isHeader: false)
        account.tokenURI = url("token_uri", section)
        account.scope = scope(section)
        return hasOne(of: ["credentials_file", "credentials_json"], section) ? account : nil
    }

    private static func googleADC(_ section: Section) -> AuthConfiguration.GoogleADC {
        var adc = AuthConfiguration.GoogleADC()
        adc.credentialsFile = section["credentials_file"]?.text()
        adc.tokenURI = url("token_uri", section)
        adc.scope = scope(section)
        return adc
    }

    private static func azureAD(_ section: Section) -> AuthConfiguration.AzureAD? {
        let tenantID = section.required("tenant_id")?.text()
        let clientID = section.required("client_id")?.text()
        var application = AuthConfiguration.AzureAD(tenantID: tenantID ?? "", clientID: clientID ?? "")
        application.clientSecret = section["client_secret"]?.secret()
        application.certificateFile = section["certificate_file"]?.text()
        application.federatedTokenFile = section["federated_token_file"]?.text()
        application.authorityHost = url("authority_host", section)
        application.scope = scope(section)
        let hasCredential = hasOne(of: ["client_secret", "certificate_file", "federated_token_file"], section)
        return hasCredential && tenantID != nil && clientID != nil ? application : nil
    }

    private static func command(_ section: Section) -> AuthConfiguration.TokenCommand? {
        var cursor = section.required("command")
        cursor?.isSecret = true
        let (tokenPath, expiryPath) = (section["token_path"]?.text(), section["expiry_path"]?.text())
        return cursor?.command().map { .init(arguments: $0, tokenPath: tokenPath, expiryPath: expiryPath) }
    }

    /// Whether exactly one of `keys` is there; otherwise it is reported.
    private static func hasOne(of keys: [String], _ section: Section) -> Bool {
        let present = keys.filter { section[$0] != nil }
        if present.count == 1 { return true }
        let names = keys.joined(separator: ", ")
        if present.count > 1 {
            section[present[1]]?.report("only one of \(names) may be there")
        } else {
            section.reportMissing(keys[0], "is missing; one of \(names) must be there")
        }
        return false
    }

    private static func url(_ key: String, _ section: Section) -> String? {
        section[key]?.url(allowsPlaceholder: true)
    }

    /// A scope, or a list of them.
    private static func scope(_ section: Section) -> String? {
        section["scope"]?.textList()?.joined(separator: " ")
    }
}
