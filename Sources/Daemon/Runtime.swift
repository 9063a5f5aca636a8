package import Config
internal import EventLoop
internal import Gateway
internal import Generation
internal import HTTPClient
internal import Limits
package import Logging
internal import Providers
internal import RPC
internal import Service

/// A complete gateway: event loops, upstream clients, services and the server, built from one configuration.
///
/// ```swift
/// let runtime = try await Runtime.start(configuration, logger: logger)
/// let addresses = try await runtime.listen(at: ["unix:/run/genwire/genwire.sock"])
/// await runtime.drain(seconds: 10)
/// ```
package final class Runtime: Sendable {
    /// Why a runtime could not start, listen or reload.
    package struct StartError: Error, Sendable, CustomStringConvertible {
        /// The problem and its remedy.
        package let description: String
    }

    private let loops: [EventLoop]
    private let contexts: [LoopBound<ServiceLoop>]
    private let gateway: Gateway
    private let server: Server
    private let logger: Logger
    private let requestLog: RequestLog

    private init(
        loops: [EventLoop], contexts: [LoopBound<ServiceLoop>], gateway: Gateway, server: Server, logger: Logger,
        requestLog: RequestLog
    ) {
        self.loops = loops
        self.contexts = contexts
        self.gateway = gateway
        self.server = server
        self.logger = logger
        self.requestLog = requestLog
    }

    /// Creates a runtime that does not listen yet; call `listen(at:)` next. Logs a warning for each optional model that
    /// cannot be used.
    /// - Throws: `StartError` if a model cannot be built or an event loop cannot be created.
    package static func start(_ configuration: Configuration, logger: Logger) async throws(StartError) -> Runtime {
        let requestLog = RequestLog(logger)
        let (gateway, loops) = try build(configuration, observers: [requestLog])
        for model in gateway.catalog.unconfigured {
            logger.warning("model is not usable", metadata: ["model": "\(model.name)", "reason": "\(model.reason)"])
        }
        var http = HTTPClientOptions()
        http.skipsVerification = configuration.tls.insecureSkipVerify
        http.userAgent = "genwire/\(genwireVersion)"
        let options = http
        var contexts: [LoopBound<ServiceLoop>] = []
        for loop in loops {
            contexts.append(
                await loop.perform { LoopBound(ServiceLoop(loop: loop, http: options, gateway: gateway), on: loop) })
        }
        let limits = serverLimits(configuration.limits, logger)
        if let first = contexts.first { await first.loop.perform { first.value.attach(gateway) } }
        let registry = CallRegistry()
        let service = GenerationService(gateway: gateway, registry: registry, limits: limits, loops: contexts)
        let server = await Server(
            loops: loops, methods: service.methods, limits: limits, registry: registry,
            policy: policy(configuration.server), describe: { Status($0) })
        return Runtime(
            loops: loops, contexts: contexts, gateway: gateway, server: server, logger: logger, requestLog: requestLog)
    }

    /// Reduces the configured connection limits to what the process's limit of open files allows.
    private static func serverLimits(_ configured: ServerLimits, _ logger: Logger) -> ServerLimits {
        var limits = configured
        let budget = DescriptorBudget(
            limit: DescriptorBudget.raiseLimit(), connections: configured.maxConnections, strangers: limits.maxStrangers
        )
        if budget.connections < configured.maxConnections {
            logger.warning(
                "limits.max_connections exceeds the limit of open files; raise it (ulimit -n, LimitNOFILE)",
                metadata: [
                    "configured": "\(configured.maxConnections)", "possible": "\(budget.connections)",
                    "open_files": "\(budget.limit)", "kept_for_vendors": "\(budget.upstream)",
                ])
        }
        limits.maxConnections = budget.connections
        limits.maxStrangers = budget.strangers
        return limits
    }

    private static func policy(_ server: ServerConfiguration) -> AccessPolicy {
        var policy = AccessPolicy.sameUser
        if let users = server.allowedUsers { policy.users = Set(users) }
        policy.groups = Set(server.allowedGroups)
        let tokens = server.tokens
        guard !tokens.isEmpty else { return policy }
        policy.tokenName = { token in
            var token = token
            return token.withUTF8 { bytes in
                var found: String?
                // Compares with all tokens, so that the time taken does not reveal which one matched.
                for (name, secret) in tokens where secret.matches(UnsafeRawBufferPointer(bytes)) { found = name }
                return found
            }
        }
        return policy
    }

    private static func build(
        _ configuration: Configuration, observers: [any ObserverSource]
    ) throws(StartError) -> (Gateway, [EventLoop]) {
        do {
            let gateway = try Gateway(configuration, observers: observers)
            let count = max(1, configuration.server.loops ?? EventLoop.defaultCount)
            return (gateway, try (0..<count).map { try EventLoop(label: "genwire-loop-\($0)") })
        } catch let error as GenerationError {
            throw StartError(description: error.message)
        } catch {
            throw StartError(description: "\(error)")
        }
    }

    /// Listens on all addresses.
    /// - Parameter addresses: `unix:PATH` or `tcp:HOST:PORT`; if empty, the address that clients use by default.
    /// - Returns: the bound addresses, with the actual port for port 0.
    /// - Throws: `StartError` for the first address that cannot be bound; the others are closed again.
    package func listen(at addresses: [String]) async throws(StartError) -> [String] {
        var bound: [String] = []
        do {
            let parsed = try addresses.isEmpty ? [DefaultAddress.own()] : addresses.map { try Address($0) }
            for address in parsed {
                bound.append(
                    try await server.listen(at: address) { [logger] in logger.warning("\($0)") }.description)
            }
        } catch {
            await server.drain(seconds: 0)
            throw StartError(description: "\(error)")
        }
        return bound
    }

    /// Applies another configuration's models, routes, credentials and access rules. Changes to the keys in
    /// `Configuration.startOnlyKeys` are ignored.
    /// - Throws: `StartError` if a model cannot be built, or if a TCP address would be left without tokens; nothing
    ///   changes in this case.
    package func reload(_ configuration: Configuration) throws(StartError) {
        do {
            let policy = Self.policy(configuration.server)
            try server.check(policy)
            try gateway.reload(configuration)
            server.adopt(policy)
        } catch let error as GenerationError {
            throw StartError(description: error.message)
        } catch {
            throw StartError(description: "\(error)")
        }
    }

    /// Rejects new calls, waits at most `seconds` for calls in progress, cancels the rest, and stops the loops.
    package func drain(seconds: Double) async {
        await server.drain(seconds: seconds)
        if let first = contexts.first { await first.loop.perform { [gateway] in gateway.detach() } }
        for context in contexts { await context.loop.perform { context.value.shutdown() } }
        requestLog.finish()
        for loop in loops { await loop.shutdown() }
    }
}
