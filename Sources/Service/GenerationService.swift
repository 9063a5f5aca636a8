internal import Config
package import EventLoop
package import Gateway
internal import Generation
package import Limits
internal import Messages
internal import Providers
package import RPC

/// Implements the `genwire.v1` services `Generation` and `Control` on top of a gateway. Safe from any thread.
package final class GenerationService: Sendable {
    private static let generation = "genwire.v1.Generation"
    private static let control = "genwire.v1.Control"

    private let gateway: Gateway
    private let registry: CallRegistry
    private let limits: ServerLimits
    private let loops: [LoopBound<ServiceLoop>]
    private let startedAt = Instant.now()

    /// Creates the services for `gateway`.
    /// - Parameter loops: one per loop of the server, in the same order.
    package init(gateway: Gateway, registry: CallRegistry, limits: ServerLimits, loops: [LoopBound<ServiceLoop>]) {
        self.gateway = gateway
        self.registry = registry
        self.limits = limits
        self.loops = loops
    }

    /// All RPCs, for the server's method table.
    package var methods: [Method] {
        [
            generation("Generate") { service, call, payload, context throws(MessageError) in
                let (request, fields) = try context.coder.generateRequest(payload)
                AnswerCall.start(call, .generate, .chat(request), fields, gateway: service.gateway, context: context)
            },
            generation("Chat") { service, call, payload, context throws(MessageError) in
                let (request, fields) = try context.coder.chatRequest(payload)
                AnswerCall.start(call, .chat, .chat(request), fields, gateway: service.gateway, context: context)
            },
            generation("StreamChat", isServerStreaming: true) { service, call, payload, context throws(MessageError) in
                let (request, fields) = try context.coder.chatRequest(payload)
                AnswerCall.start(call, .streamChat, .chat(request), fields, gateway: service.gateway, context: context)
            },
            generation("Embed") { service, call, payload, context throws(MessageError) in
                let (request, fields) = try context.coder.embedRequest(payload)
                let table = VectorTable(
                    request, limit: service.limits.maxMessageBytes, context: context.providers)
                AnswerCall.start(
                    call, .embed, .embed(request, into: table), fields, gateway: service.gateway, context: context)
            },
            generation("CountTokens") { service, call, payload, context throws(MessageError) in
                let (request, text) = try context.coder.countTokensRequest(payload)
                service.countTokens(call, request, text, context)
            },
            generation("ListModels", isLight: true) { service, call, payload, context throws(MessageError) in
                let list = service.gateway.catalog.list(try context.coder.modelQuestion(payload))
                context.coder.encode(list) { size, fill in call.respond(size: size, fill) }
            },
            generation("ValidateAuth", isLight: true) { service, call, payload, context throws(MessageError) in
                let (model, provider) = try context.coder.validateAuthRequest(payload)
                service.validateAuth(call, model, provider, context)
            },
            generation("Health", isLight: true) { service, call, payload, context throws(MessageError) in
                service.health(call, deep: try context.coder.healthRequest(payload), context)
            },
            generation("GetUsage", isLight: true) { service, call, _, context throws(MessageError) in
                context.coder.encode(service.usage) { size, fill in call.respond(size: size, fill) }
            },
            method(Self.control, "Hello", isOpen: true, isLight: true) {
                service, call, payload, context throws(MessageError) in
                guard call.authenticateConnection(token: try context.coder.helloRequest(payload)) else { return }
                context.coder.encode(service.info) { size, fill in call.respond(size: size, fill) }
            },
            method(Self.control, "Cancel", isLight: true) { service, call, payload, context throws(MessageError) in
                let callID = try context.coder.cancelRequest(payload)
                let found = !callID.isEmpty && service.registry.cancel(callID: callID, caller: call.caller)
                context.coder.encodeCancelled(found: found) { size, fill in call.respond(size: size, fill) }
            },
            method(Self.control, "Ping", isLight: true) { _, call, payload, context throws(MessageError) in
                call.respond(try context.coder.ping(payload))
            },
        ]
    }

    private typealias Handler =
        @Sendable (GenerationService, Call, UnsafeRawBufferPointer, ServiceLoop) throws(MessageError) -> Void

    private func generation(
        _ name: String, isServerStreaming: Bool = false, isLight: Bool = false, _ handler: @escaping Handler
    ) -> Method {
        method(Self.generation, name, isServerStreaming: isServerStreaming, isLight: isLight, handler)
    }

    private func method(
        _ service: String, _ name: String, isServerStreaming: Bool = false, isOpen: Bool = false, isLight: Bool = false,
        _ handler: @escaping Handler
    ) -> Method {
        Method(service: service, name: name, isServerStreaming: isServerStreaming, isOpen: isOpen, isLight: isLight) {
            [self] call, payload in
            let context = loops[call.loopIndex].value
            do throws(MessageError) {
                try handler(self, call, payload, context)
            } catch {
                context.refuse(call, error)
            }
        }
    }

    // MARK: - Other RPCs

    private func health(_ call: Call, deep: Bool, _ context: ServiceLoop) {
        let uptime = (Instant.now() - startedAt).seconds
        var report = HealthReport(status: .serving, version: genwireVersion, uptimeSeconds: uptime)
        guard deep else {
            return context.coder.encode(report) { size, fill in call.respond(size: size, fill) }
        }
        let catalog = gateway.catalog
        ProbeCall.start(call, models: catalog.models, unconfigured: catalog.unconfigured, context: context) {
            findings in
            report.providers = findings.map { finding in
                HealthReport.Provider(
                    provider: finding.provider, model: finding.model, status: finding.status, detail: finding.detail)
            }
            if report.providers.contains(where: { $0.status == .failed }) { report.status = .degraded }
            context.coder.encode(report) { size, fill in call.respond(size: size, fill) }
        }
    }

    private func validateAuth(_ call: Call, _ model: String, _ provider: String, _ context: ServiceLoop) {
        let catalog = gateway.catalog
        func isSelected(_ name: String, _ itsProvider: String) -> Bool {
            (model.isEmpty || model == name) && (provider.isEmpty || provider == itsProvider)
        }
        let models = catalog.models.filter { isSelected($0.name, $0.providerName) }
        let unconfigured = catalog.unconfigured.filter { isSelected($0.name, $0.provider) }
        guard !models.isEmpty || !unconfigured.isEmpty else {
            return call.fail(
                context.status(
                    GenerationError(
                        .unknownModel, "no configured model matches model '\(model)' and provider '\(provider)'")))
        }
        ProbeCall.start(call, models: models, unconfigured: unconfigured, context: context) { findings in
            context.coder.encode(findings) { size, fill in call.respond(size: size, fill) }
        }
    }

    private func countTokens(_ call: Call, _ request: ChatRequest, _ text: String, _ context: ServiceLoop) {
        func respond(_ tokens: Int, _ source: Usage.Source) {
            context.coder.encodeTokenCount(tokens, source: source) { size, fill in call.respond(size: size, fill) }
        }
        do {
            guard let model = try gateway.catalog.resolve(request.model).first?.model else {
                return respond(0, .estimated)
            }
            var whole = request
            if !text.isEmpty { whole.messages.append(Message(role: .user, content: text)) }
            guard !whole.messages.isEmpty else { return respond(estimateTokens(of: whole), .estimated) }
            let query = ProviderQuery(model: model, context: context.providers)
            let isCounting = try query.countTokens(whole) { result in
                switch result {
                case .success(let count): respond(count, .provider)
                case .failure(let error): call.fail(context.status(error))
                }
            }
            if isCounting {
                call.onCancel = { _ in query.cancel() }
            } else {
                respond(estimateTokens(of: whole), .estimated)
            }
        } catch {
            call.fail(context.status(error))
        }
    }

    private var usage: [UsageReport] {
        gateway.ledger.snapshot().map { key, row in
            var report = UsageReport()
            report.provider = key.provider
            report.model = key.model
            report.requests = row.requests
            report.successfulRequests = row.successfulRequests
            report.failedRequests = row.failedRequests
            report.cancelledRequests = row.cancelledRequests
            report.inputTokens = row.inputTokens
            report.outputTokens = row.outputTokens
            report.averageLatencySeconds = row.averageLatencySeconds
            report.errorRate = row.errorRate
            return report
        }
    }

    private var info: ServerInfo {
        ServerInfo(
            server: "genwired", version: genwireVersion, features: ["cancel", "ping"],
            maxMessageBytes: Int64(limits.maxMessageBytes), maxStreams: Int64(limits.maxStreamsPerConnection))
    }
}
