internal import JSON

extension TokenEndpoints {
    /// A token endpoint of an issuer.
    enum Endpoint: Equatable {
        case oauth, google, googleMetadata, sts, impersonation, entra, entraDiscovery, machineIdentity, appService

        init?(_ request: SimulatedRequest) {
            let path = request.path
            switch path {
            case "/oauth/token": self = .oauth
            case "/token": self = .google
            case "/v1/token": self = .sts
            case "/metadata/identity/oauth2/token": self = .machineIdentity
            case "/msi/token": self = .appService
            case _ where path.hasPrefix("/computeMetadata/v1/"): self = .googleMetadata
            // Google's libraries check here first whether they run on Google Cloud.
            case "/" where request.headers["metadata-flavor"] != nil: self = .googleMetadata
            case _ where path.hasSuffix(":generateAccessToken"): self = .impersonation
            case _ where path.hasSuffix("/oauth2/v2.0/token"): self = .entra
            case _ where path.hasSuffix("/v2.0/.well-known/openid-configuration"): self = .entraDiscovery
            default: return nil
            }
        }

        /// What the metadata server and Entra ID return besides tokens; `nil` if a token is requested.
        func fact(_ request: SimulatedRequest) -> SimulatedAnswer? {
            if self == .entraDiscovery { return discovery(request) }
            guard self == .googleMetadata, !request.path.hasSuffix("/token") else { return nil }
            if request.path.hasSuffix("/service-accounts/default/") {
                return .json(["aliases": ["default"], "email": "sim@sim.iam.gserviceaccount.com", "scopes": []])
            }
            let facts = [
                "project/project-id": "sim-project", "universe/universe-domain": "googleapis.com", "": "instance/",
            ]
            let name = request.path == "/" ? "" : request.path.replacing("/computeMetadata/v1/", with: "")
            guard let text = facts[name] else { return error("not_found", status: 404) }
            return SimulatedAnswer(
                headers: [("content-type", "application/text")], pieces: [.init(bytes: Array(text.utf8))])
        }

        /// The OpenID metadata in which Microsoft's libraries look up the endpoints of a tenant.
        private func discovery(_ request: SimulatedRequest) -> SimulatedAnswer {
            let tenant = request.path.split(separator: "/").first ?? ""
            // The libraries require https, so this must be a TLS proxy in front of the simulator.
            let base = "https://\(request.headers["host"] ?? "")/\(tenant)/oauth2/v2.0/"
            return .json([
                "token_endpoint": .string(base + "token"), "authorization_endpoint": .string(base + "authorize"),
                "issuer": .string("https://login.microsoftonline.com/\(tenant)/v2.0"),
            ])
        }

        /// An error in the issuer's format.
        func error(_ code: String, _ description: String = "it was asked for", status: Int = 401) -> SimulatedAnswer {
            switch self {
            case .impersonation:
                return .json(
                    ["error": ["code": .int(status), "message": .string(description), "status": .string(code)]],
                    status: status)
            case .appService:
                return .json(
                    ["statusCode": .int(status), "message": .string("\(code) \(description)")], status: status)
            case .entra:
                return .json(
                    [
                        "error": .string(code), "error_description": .string("AADSTS7000215: \(description)"),
                        "error_codes": [7_000_215], "correlation_id": "0000",
                    ], status: status)
            default:
                return .json(["error": .string(code), "error_description": .string(description)], status: status)
            }
        }

        /// The error for an invalid request; `nil` if it is valid.
        func problem(_ request: SimulatedRequest, _ fields: TokenFields) -> SimulatedAnswer? {
            let isGet = [.googleMetadata, .machineIdentity, .appService, .entraDiscovery].contains(self)
            guard request.method == (isGet ? "GET" : "POST") else {
                return error("invalid_request", "wrong method", status: 405)
            }
            switch self {
            case .oauth: return clientProblem(fields)
            case .google: return googleProblem(fields)
            case .entra: return entraProblem(request, fields)
            case .sts:
                let wanted = [
                    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
                    "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
                ]
                for (name, value) in wanted where fields[name] != value {
                    return error("invalid_request", "\(name) must be \(value)", status: 400)
                }
                for name in ["audience", "subject_token", "subject_token_type", "scope"] where fields[name].isEmpty {
                    return error("invalid_request", "\(name) is missing", status: 400)
                }
                return fields["subject_token"].contains("wrong")
                    ? error("invalid_grant", "bad subject token \(fields["subject_token"])", status: 400) : nil
            case .impersonation:
                let token = request.bearer ?? ""
                guard TokenEndpoints.isValid(token, at: request.headers["host"] ?? "") else {
                    return error("UNAUTHENTICATED", "unknown token \(token)")
                }
                return fields["scope"].hasPrefix("[\"") ? nil : error("INVALID_ARGUMENT", "scope", status: 400)
            case .entraDiscovery: return nil
            case .googleMetadata:
                return request.headers["metadata-flavor"] == "Google" ? nil : error("forbidden", status: 403)
            case .machineIdentity:
                guard request.headers["metadata"] == "true" else { return error("invalid_request", status: 400) }
                guard request.query["api-version"] == "2018-02-01" else { return error("bad_version", status: 400) }
                return resourceProblem(request)
            case .appService:
                guard request.headers["x-identity-header"]?.contains("wrong") == false else {
                    return error("invalid_request", "bad X-IDENTITY-HEADER", status: 401)
                }
                guard request.query["api-version"] == "2019-08-01" else { return error("bad_version", status: 400) }
                return resourceProblem(request)
            }
        }

        private func resourceProblem(_ request: SimulatedRequest) -> SimulatedAnswer? {
            let resource = request.query["resource"] ?? ""
            return resource.isEmpty || resource.hasSuffix(".default")
                ? error("invalid_resource", "the resource '\(resource)' is unknown", status: 400) : nil
        }

        private func clientProblem(_ fields: TokenFields) -> SimulatedAnswer? {
            guard fields["grant_type"] == "client_credentials" else {
                return error("unsupported_grant_type", status: 400)
            }
            let isBasic = !fields["basic_id"].isEmpty
            let (id, secret) =
                isBasic ? (fields["basic_id"], fields["basic_secret"]) : (fields["client_id"], fields["client_secret"])
            guard !id.isEmpty, !secret.isEmpty, !secret.contains("wrong") else {
                return error("invalid_client", "the secret '\(secret)' of client '\(id)' is not right")
            }
            return nil
        }

        private func googleProblem(_ fields: TokenFields) -> SimulatedAnswer? {
            if fields["grant_type"] == "refresh_token" {
                for name in ["client_id", "client_secret", "refresh_token"] where fields[name].isEmpty {
                    return error("invalid_request", "\(name) is missing", status: 400)
                }
                return fields["refresh_token"].contains("revoked")
                    ? error("invalid_grant", "Token has been expired or revoked.", status: 400) : nil
            }
            guard fields["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer" else {
                return error("unsupported_grant_type", status: 400)
            }
            guard let claims = fields.claims, fields.header?["alg"]?.string == "RS256",
                claims["iss"]?.string?.contains("@") == true, let issued = claims["iat"]?.int,
                claims["aud"]?.string == "https://oauth2.googleapis.com/token", let end = claims["exp"]?.int,
                (1...3600).contains(end - issued), claims["scope"]?.string?.isEmpty == false
            else { return error("invalid_grant", "Invalid JWT", status: 400) }
            return nil
        }

        private func entraProblem(_ request: SimulatedRequest, _ fields: TokenFields) -> SimulatedAnswer? {
            guard fields["grant_type"] == "client_credentials" else {
                return error("unsupported_grant_type", status: 400)
            }
            guard fields["scope"].hasSuffix("/.default") else { return error("invalid_scope", status: 400) }
            guard !fields["client_id"].isEmpty else { return error("invalid_request", status: 400) }
            if fields["client_assertion"].isEmpty {
                let secret = fields["client_secret"]
                return secret.isEmpty || secret.contains("wrong")
                    ? error("invalid_client", "Invalid client secret provided: \(secret)") : nil
            }
            guard fields["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" else {
                return error("invalid_request", "client_assertion_type", status: 400)
            }
            // A federated token is validated by its issuer; one that the client signed names the client.
            guard let header = fields.header, let claims = fields.claims else {
                return error("invalid_client", "the assertion is no JWT")
            }
            guard header.has("x5t") || header.has("x5t#S256") else { return nil }
            let isGood =
                claims["sub"]?.string == fields["client_id"] && claims["iss"] == claims["sub"]
                && claims["aud"]?.string?.hasSuffix(request.path) == true && claims["jti"]?.string != nil
            return isGood ? nil : error("invalid_client", "the assertion's claims are wrong")
        }

        /// A response with a token, in the issuer's format.
        func grant(_ token: String, _ directives: TokenDirectives) -> SimulatedAnswer {
            let now = WallClock.seconds()
            var members: [(key: String, value: JSONValue)] = [(key: "access_token", value: .string(token))]
            func add(_ key: String, _ value: JSONValue?) {
                if let value { members.append((key: key, value: value)) }
            }
            switch self {
            case .impersonation:
                members[0].key = "accessToken"
                add("expireTime", directives.expiry(isText: false, add: now).map(Self.timestamp))
            case .machineIdentity:
                add("expires_in", directives.expiry(isText: true))
                add("expires_on", directives.expiry(isText: true, add: now))
            case .appService: add("expires_on", directives.expiry(isText: true, add: now))
            default: add("expires_in", directives.expiry(isText: false))
            }
            if self == .entra { add("ext_expires_in", directives.expiry(isText: false)) }
            if self == .sts { add("issued_token_type", "urn:ietf:params:oauth:token-type:access_token") }
            if self != .impersonation { add("token_type", "Bearer") }
            return .json(.object(members))
        }

        private static func timestamp(_ value: JSONValue) -> JSONValue {
            value.int.map { .string(WallClock.text($0)) } ?? value
        }
    }
}
