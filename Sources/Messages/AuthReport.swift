internal import CGenwireProto
internal import CProtobufC
public import Generation

/// The result of `ValidateAuth` for one credential.
public struct AuthReport: Sendable, Equatable {
    /// The name of the configured model.
    public var model: String
    /// The model's provider.
    public var provider: String
    /// Whether the provider accepts the credential.
    public var isValid: Bool
    /// The state of the credential; never `pending`.
    public var status: CredentialStatus
    /// The problem and its remedy; empty if there is none.
    public var detail: String
    /// Seconds until the credential expires; `nil` if it does not expire or this is unknown; 0 on the wire.
    public var expiresInSeconds: Int64?
    /// The error of the last attempt to get a token, if it failed.
    public var lastError: String
    /// Seconds since the token was fetched; `nil` for a fixed one. 0 on the wire.
    public var secondsSinceRefresh: Int64?
    /// Whether the model is optional: the server starts without it if its credential is missing.
    public var isOptional: Bool

    /// Creates a report; the status must not be `pending`.
    public init(
        model: String, provider: String, isValid: Bool, status: CredentialStatus, detail: String,
        expiresInSeconds: Int64? = nil, lastError: String = "", secondsSinceRefresh: Int64? = nil,
        isOptional: Bool = false
    ) {
        self.model = model
        self.provider = provider
        self.isValid = isValid
        self.status = status
        self.detail = detail
        self.expiresInSeconds = expiresInSeconds
        self.lastError = lastError
        self.secondsSinceRefresh = secondsSinceRefresh
        self.isOptional = isOptional
    }
}

extension AuthReport: MappedValue {
    static var empty: AuthReport { AuthReport(model: "", provider: "", isValid: false, status: .other(""), detail: "") }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__AuthResult>) { gw__auth_result__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__AuthResult>, _ value: inout AuthReport
    ) throws(P.Failure) {
        try pass.text(&wire.pointee.model, &value.model, "model")
        try pass.text(&wire.pointee.provider, &value.provider, "provider")
        pass.flag(&wire.pointee.valid, &value.isValid)
        try pass.word(&wire.pointee.status, &value.status, "status")
        try pass.text(&wire.pointee.detail, &value.detail, "detail")
        pass.number(&wire.pointee.expires_in_seconds, zeroAsNil: &value.expiresInSeconds)
        try pass.text(&wire.pointee.last_error, &value.lastError, "last_error")
        pass.number(&wire.pointee.seconds_since_refresh, zeroAsNil: &value.secondsSinceRefresh)
        pass.flag(&wire.pointee.optional, &value.isOptional)
    }
}

/// A `ValidateAuthResponse`.
struct AuthReports: MappedValue {
    var results: [AuthReport]

    static var empty: AuthReports { AuthReports(results: []) }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__ValidateAuthResponse>) {
        gw__validate_auth_response__init(wire)
    }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__ValidateAuthResponse>, _ value: inout AuthReports
    ) throws(P.Failure) {
        try pass.list(&wire.pointee.n_results, &wire.pointee.results, &value.results)
    }
}

/// A `ValidateAuthRequest`.
struct AuthQuestion: MappedValue {
    var model: String
    var provider: String

    static var empty: AuthQuestion { AuthQuestion(model: "", provider: "") }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__ValidateAuthRequest>) {
        gw__validate_auth_request__init(wire)
    }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__ValidateAuthRequest>, _ value: inout AuthQuestion
    ) throws(P.Failure) {
        try pass.text(&wire.pointee.model, &value.model, "model", atMost: RequestBounds.name)
        try pass.text(&wire.pointee.provider, &value.provider, "provider", atMost: RequestBounds.name)
    }
}

extension MessageCoder {
    /// Decodes a `ValidateAuthRequest`.
    /// - Throws: `MessageError` if the bytes are malformed.
    public func validateAuthRequest(
        _ bytes: UnsafeRawBufferPointer
    ) throws(MessageError) -> (model: String, provider: String) {
        let question = try read(AuthQuestion.self, bytes)
        return (question.model, question.provider)
    }

    /// Encodes a `ValidateAuthRequest`.
    public func encodeValidateAuthRequest(model: String, provider: String) -> [UInt8] {
        bytes(AuthQuestion(model: model, provider: provider))
    }

    /// Decodes a `ValidateAuthResponse`.
    /// - Throws: `MessageError` if the bytes are malformed.
    public func authReports(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> [AuthReport] {
        try read(AuthReports.self, bytes).results
    }

    /// Encodes a `ValidateAuthResponse`.
    public func encode<R>(_ results: [AuthReport], into body: PackedMessage<R>) -> R {
        pack(AuthReports(results: results), body)
    }

    /// Describes to `visitor` the fields of a `ValidateAuthResponse`.
    package func describe(_ results: [AuthReport], to visitor: inout some MessageVisitor) {
        describe(fieldsOf: AuthReports(results: results), to: &visitor)
    }
}
