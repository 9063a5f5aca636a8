internal import CGenwireProto
internal import CProtobufC

/// The request of `ListModels`.
public struct ModelQuestion: Sendable, Equatable {
    /// Whether to list known models that are not configured, too.
    public var all: Bool
    /// Lists only names that contain this pattern; `*` matches any text. Empty for all names.
    public var pattern: String

    /// Creates a request; by default for the configured models.
    public init(all: Bool = false, pattern: String = "") {
        self.all = all
        self.pattern = pattern
    }
}

/// The response of `ListModels`.
public struct ModelList: Sendable, Equatable {
    /// A configured or known model.
    public struct Model: Sendable, Equatable {
        /// The name that requests use.
        public var name: String
        /// The model's provider.
        public var provider: String
        /// The vendor's name for the model.
        public var modelName: String
        /// Supported features, for example `chat`, `stream` or `tools`.
        public var capabilities: [String]
        /// Whether requests without a model name use this model.
        public var isDefault: Bool
        /// Maximum number of tokens of a request and its response together; 0 if unknown.
        public var contextWindow = 0
        /// Maximum number of tokens of a response; 0 if unknown.
        public var maxOutputTokens = 0
        /// The first day on which the vendor no longer serves the model, for example `2026-11-30`; empty if unknown.
        public var retiresOn = ""
        /// US dollars per million input tokens; `nil` if unknown.
        public var inputPrice: Double?
        /// US dollars per million output tokens; `nil` if unknown.
        public var outputPrice: Double?
        /// US dollars per million tokens read from the prompt cache; `nil` if unknown.
        public var cachedInputPrice: Double?
        /// US dollars per million tokens written to the prompt cache; `nil` if unknown.
        public var cacheWritePrice: Double?

        /// Creates a model whose limits, retirement date and prices are unknown.
        public init(name: String, provider: String, modelName: String, capabilities: [String], isDefault: Bool) {
            self.name = name
            self.provider = provider
            self.modelName = modelName
            self.capabilities = capabilities
            self.isDefault = isDefault
        }
    }
    /// A route: one name for several models.
    public struct Route: Sendable, Equatable {
        /// The name that requests use.
        public var name: String
        /// `fallback`, `weighted` or `round_robin`.
        public var strategy: String
        /// The names of the models to choose from.
        public var targets: [String]

        /// Creates a route.
        public init(name: String, strategy: String, targets: [String]) {
            self.name = name
            self.strategy = strategy
            self.targets = targets
        }
    }
    /// A provider that this server supports.
    public struct Provider: Sendable, Equatable {
        /// The provider's name.
        public var name: String
        /// Supported features, for example `chat`, `stream` or `tools`.
        public var capabilities: [String]

        /// Creates a provider.
        public init(name: String, capabilities: [String]) {
            self.name = name
            self.capabilities = capabilities
        }
    }
    /// The models.
    public var models: [Model] = []
    /// The routes.
    public var routes: [Route] = []
    /// The providers.
    public var providers: [Provider] = []

    /// An empty list.
    public init() {}
}

extension ModelQuestion: MappedValue {
    static var empty: ModelQuestion { ModelQuestion() }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__ListModelsRequest>) { gw__list_models_request__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__ListModelsRequest>, _ value: inout ModelQuestion
    ) throws(P.Failure) {
        pass.flag(&wire.pointee.all, &value.all)
        try pass.text(&wire.pointee.pattern, &value.pattern, "pattern", atMost: RequestBounds.name)
    }
}

extension ModelList: MappedValue {
    static var empty: ModelList { ModelList() }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__ListModelsResponse>) {
        gw__list_models_response__init(wire)
    }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__ListModelsResponse>, _ value: inout ModelList
    ) throws(P.Failure) {
        try pass.list(&wire.pointee.n_models, &wire.pointee.models, &value.models)
        try pass.list(&wire.pointee.n_routes, &wire.pointee.routes, &value.routes)
        try pass.list(&wire.pointee.n_providers, &wire.pointee.providers, &value.providers)
    }
}

extension ModelList.Model: MappedValue {
    static var empty: ModelList.Model {
        ModelList.Model(name: "", provider: "", modelName: "", capabilities: [], isDefault: false)
    }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__ModelInfo>) { gw__model_info__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__ModelInfo>, _ value: inout ModelList.Model
    ) throws(P.Failure) {
        try pass.text(&wire.pointee.name, &value.name, "name")
        try pass.text(&wire.pointee.provider, &value.provider, "provider")
        try pass.text(&wire.pointee.model_name, &value.modelName, "model_name")
        try pass.texts(&wire.pointee.n_capabilities, &wire.pointee.capabilities, &value.capabilities, "capabilities")
        pass.flag(&wire.pointee.default_, &value.isDefault)
        pass.number(&wire.pointee.context_window, &value.contextWindow)
        pass.number(&wire.pointee.max_output_tokens, &value.maxOutputTokens)
        try pass.text(&wire.pointee.retires_on, &value.retiresOn, "retires_on")
        pass.optional(
            &wire.pointee.input_price_opt_case, GW__MODEL_INFO__INPUT_PRICE_OPT_INPUT_PRICE,
            &wire.pointee.input_price, &value.inputPrice)
        pass.optional(
            &wire.pointee.output_price_opt_case, GW__MODEL_INFO__OUTPUT_PRICE_OPT_OUTPUT_PRICE,
            &wire.pointee.output_price, &value.outputPrice)
        pass.optional(
            &wire.pointee.cached_input_price_opt_case, GW__MODEL_INFO__CACHED_INPUT_PRICE_OPT_CACHED_INPUT_PRICE,
            &wire.pointee.cached_input_price, &value.cachedInputPrice)
        pass.optional(
            &wire.pointee.cache_write_price_opt_case, GW__MODEL_INFO__CACHE_WRITE_PRICE_OPT_CACHE_WRITE_PRICE,
            &wire.pointee.cache_write_price, &value.cacheWritePrice)
    }
}

extension ModelList.Route: MappedValue {
    static var empty: ModelList.Route { ModelList.Route(name: "", strategy: "", targets: []) }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__RouteInfo>) { gw__route_info__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__RouteInfo>, _ value: inout ModelList.Route
    ) throws(P.Failure) {
        try pass.text(&wire.pointee.name, &value.name, "name")
        try pass.text(&wire.pointee.strategy, &value.strategy, "strategy")
        try pass.texts(&wire.pointee.n_targets, &wire.pointee.targets, &value.targets, "targets")
    }
}

extension ModelList.Provider: MappedValue {
    static var empty: ModelList.Provider { ModelList.Provider(name: "", capabilities: []) }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__ProviderInfo>) { gw__provider_info__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__ProviderInfo>, _ value: inout ModelList.Provider
    ) throws(P.Failure) {
        try pass.text(&wire.pointee.name, &value.name, "name")
        try pass.texts(&wire.pointee.n_capabilities, &wire.pointee.capabilities, &value.capabilities, "capabilities")
    }
}

extension MessageCoder {
    /// Decodes a `ListModelsRequest`.
    /// - Throws: `MessageError` if the bytes are malformed.
    public func modelQuestion(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> ModelQuestion {
        try read(ModelQuestion.self, bytes)
    }

    /// Encodes a `ListModelsRequest`.
    public func encode(_ question: ModelQuestion) -> [UInt8] { bytes(question) }

    /// Decodes a `ListModelsResponse`.
    /// - Throws: `MessageError` if the bytes are malformed.
    public func modelList(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> ModelList {
        try read(ModelList.self, bytes)
    }

    /// Encodes a `ListModelsResponse`.
    public func encode<R>(_ list: ModelList, into body: PackedMessage<R>) -> R { pack(list, body) }

    /// Describes to `visitor` the fields of a `ListModelsResponse`.
    package func describe(_ list: ModelList, to visitor: inout some MessageVisitor) {
        describe(fieldsOf: list, to: &visitor)
    }
}
