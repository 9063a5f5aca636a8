internal import CGenwireProto
internal import CProtobufC
public import Generation

/// The response of `Health`.
public struct HealthReport: Sendable, Equatable {
    /// The result of a deep check for one provider.
    public struct Provider: Sendable, Equatable {
        /// The provider's name.
        public var provider: String
        /// The configured model that the check used.
        public var model: String
        /// The state of its credential.
        public var status: CredentialStatus
        /// The problem; empty if there is none.
        public var detail: String

        /// Creates the result for one provider.
        public init(provider: String, model: String, status: CredentialStatus, detail: String) {
            self.provider = provider
            self.model = model
            self.status = status
            self.detail = detail
        }
    }
    /// The state of the server. The raw values are those of `Health`.
    public enum Status: RawRepresentable, Sendable, Hashable {
        /// Accepts calls.
        case serving
        /// Accepts calls, but a deep check found a failing provider.
        case degraded
        /// Shutting down: calls in progress may finish, new ones are refused.
        case draining
        /// A value that this release does not know, from a newer server.
        case other(String)

        /// Creates the status of a raw value; never `nil`.
        public init?(rawValue: String) {
            self = [Status.serving, .degraded, .draining].first { $0.rawValue == rawValue } ?? .other(rawValue)
        }

        /// The value on the wire.
        public var rawValue: String {
            switch self {
            case .serving: "serving"
            case .degraded: "degraded"
            case .draining: "draining"
            case .other(let word): word
            }
        }
    }

    /// The state of the server.
    public var status: Status
    /// The server's version.
    public var version: String
    /// Seconds since the server started.
    public var uptimeSeconds: Double
    /// One entry per provider; empty unless the check was deep.
    public var providers: [Provider]

    /// Creates a report.
    public init(status: Status, version: String, uptimeSeconds: Double, providers: [Provider] = []) {
        self.status = status
        self.version = version
        self.uptimeSeconds = uptimeSeconds
        self.providers = providers
    }
}

extension HealthReport: MappedValue {
    static var empty: HealthReport { HealthReport(status: .other(""), version: "", uptimeSeconds: 0) }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__HealthResponse>) { gw__health_response__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__HealthResponse>, _ value: inout HealthReport
    ) throws(P.Failure) {
        try pass.word(&wire.pointee.status, &value.status, "status")
        try pass.text(&wire.pointee.version, &value.version, "version")
        pass.number(&wire.pointee.uptime_seconds, &value.uptimeSeconds)
        try pass.list(&wire.pointee.n_providers, &wire.pointee.providers, &value.providers)
    }
}

extension HealthReport.Provider: MappedValue {
    static var empty: HealthReport.Provider { .init(provider: "", model: "", status: .other(""), detail: "") }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__ProviderHealth>) { gw__provider_health__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__ProviderHealth>, _ value: inout HealthReport.Provider
    ) throws(P.Failure) {
        try pass.text(&wire.pointee.provider, &value.provider, "provider")
        try pass.text(&wire.pointee.model, &value.model, "model")
        try pass.word(&wire.pointee.status, &value.status, "status")
        try pass.text(&wire.pointee.detail, &value.detail, "detail")
    }
}

/// A `HealthRequest`.
struct HealthQuestion: MappedValue {
    var deep: Bool

    static var empty: HealthQuestion { HealthQuestion(deep: false) }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__HealthRequest>) { gw__health_request__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__HealthRequest>, _ value: inout HealthQuestion
    ) throws(P.Failure) {
        pass.flag(&wire.pointee.deep, &value.deep)
    }
}

extension MessageCoder {
    /// Decodes a `HealthRequest`and returns whether it requests a deep check.
    /// - Throws: `MessageError` if the bytes are malformed.
    public func healthRequest(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> Bool {
        // The most frequent request is empty and needs no decoding.
        bytes.isEmpty ? false : try read(HealthQuestion.self, bytes).deep
    }

    /// Encodes a `HealthRequest`.
    public func encodeHealthRequest(deep: Bool) -> [UInt8] { bytes(HealthQuestion(deep: deep)) }

    /// Decodes a `HealthResponse`.
    /// - Throws: `MessageError` if the bytes are malformed.
    public func healthReport(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> HealthReport {
        try read(HealthReport.self, bytes)
    }

    /// Encodes a `HealthResponse`.
    public func encode<R>(_ report: HealthReport, into body: PackedMessage<R>) -> R { pack(report, body) }

    /// Describes to `visitor` the fields of a `HealthResponse`.
    package func describe(_ report: HealthReport, to visitor: inout some MessageVisitor) {
        describe(fieldsOf: report, to: &visitor)
    }
}
