internal import CGenwireProto
internal import CProtobufC
public import Generation

/// The response of `Health`.
public struct HealthReport: Sendable, Equatable {
    /// One provider, as a deep check found it.
    public struct Provider: Sendable, Equatable {
        /// The provider.
        public var provider: String
        /// The configured model that was asked.
        public var model: String
        /// The state of its credential.
        public var status: CredentialStatus
        /// The problem; empty if there is none.
        public var detail: String

        /// One provider's state.
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
        /// Accepts calls, but a deep check found a provider that fails.
        case degraded
        /// Finishes the calls in progress and accepts no more.
        case draining
        /// A word that only a newer server knows.
        case other(String)

        /// The state of a word; never `nil`.
        public init?(rawValue: String) {
            self = [Status.serving, .degraded, .draining].first { $0.rawValue == rawValue } ?? .other(rawValue)
        }

        /// The word.
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
    /// Only from a deep check.
    public var providers: [Provider]

    /// A report.
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
    /// Reads a `HealthRequest`: whether a deep check is asked for.
    /// - Throws: `MessageError` if the bytes are malformed.
    public func healthRequest(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> Bool {
        // The commonest call of all is empty, and there is nothing to read in it.
        bytes.isEmpty ? false : try read(HealthQuestion.self, bytes).deep
    }

    /// The bytes of a `HealthRequest`.
    public func encodeHealthRequest(deep: Bool) -> [UInt8] { bytes(HealthQuestion(deep: deep)) }

    /// Reads a `HealthResponse`.
    /// - Throws: `MessageError` if the bytes are malformed.
    public func healthReport(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> HealthReport {
        try read(HealthReport.self, bytes)
    }

    /// Packs a `HealthResponse`.
    public func encode<R>(_ report: HealthReport, into body: PackedMessage<R>) -> R { pack(report, body) }

    /// Tells `visitor` the fields of a `HealthResponse`.
    package func describe(_ report: HealthReport, to visitor: inout some MessageVisitor) {
        describe(fieldsOf: report, to: &visitor)
    }
}
