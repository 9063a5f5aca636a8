internal import Config
internal import EventLoop
internal import Generation
internal import HTTPClient

/// Fetches the images and documents that a request refers to by URL, one after the other, for models that accept no
/// URLs. Confined to one loop.
///
/// Callers choose these URLs, so by default only connections to public addresses are allowed. The address is checked
/// after name resolution, when the connection is made, and again for the target of each redirect.
final class MediaFetch: TransferDelegate {
    /// The addresses to which connections are allowed.
    enum Addresses: String, Sendable, CaseIterable {
        /// No addresses: URLs are refused.
        case off
        /// Addresses of the public Internet.
        case `public`
        /// All addresses, including this host's and those of its networks.
        case any
    }

    static let addresses = ProviderKey<Addresses>(
        "fetch_urls", .choice, default: "`public`", isConnection: true,
        "Whose images and documents are fetched for models that accept no URLs: `public` excludes private, loopback "
            + "and link-local addresses, `off` refuses URLs. `public` ignores proxies.")
    static let maximumBytes = ProviderKey<Int>(
        "max_fetched_bytes", .integer(in: 1...64 << 20), default: "`20971520`", isConnection: true,
        "The size limit for all images and documents that are fetched for one request, in bytes.")

    /// What may be fetched for a model's requests.
    struct Rule: Sendable {
        /// Whether an address is allowed; `nil` allows all.
        var allows: (@Sendable (RemoteAddress) -> Bool)?
        /// Maximum total size of the contents for one request, in bytes.
        var maximumBytes = 20 << 20

        /// The rule that a model's configuration sets; `nil` if nothing may be fetched.
        init?(_ model: ModelConfiguration) {
            switch model[MediaFetch.addresses] ?? .public {
            case .off: return nil
            case .public: allows = { $0.isPublic }
            case .any: allows = nil
            }
            maximumBytes = model[MediaFetch.maximumBytes] ?? maximumBytes
        }

        fileprivate var exceeded: String {
            "the contents of the request's URLs exceed the limit of \(maximumBytes) bytes (max_fetched_bytes)"
        }
    }

    /// The content of a URL.
    struct Content {
        var bytes: [UInt8] = []
        /// The media type from the server, without parameters; empty if it sent none.
        var mimeType = ""
    }

    /// Receives the contents by URL.
    typealias Completion = (Result<[String: Content], GenerationError>) -> Void

    /// Maximum number of distinct URLs of one request.
    static let maximumURLs = 100
    private static let maximumRedirects = 5
    /// Maximum total time for all URLs of one request.
    private static let maximumTime = TimeAmount.seconds(60)

    private let context: ProviderContext
    private let rule: Rule
    private let urls: [String]
    private let timeouts: HTTPTimeouts
    private let startedAt = Instant.now()
    private var completion: Completion?
    private var transfer: HTTPTransfer?
    private var share: AnswerBudget.Share
    private var contents: [String: Content] = [:]
    private var total = 0
    // The state of the current URL.
    private var content = Content()
    private var location = ""
    private var redirects = 0
    private var target: String?

    /// - Parameters:
    ///   - urls: distinct `http` and `https` URLs.
    ///   - timeouts: the model's timeouts, which apply to each URL; all URLs together have one minute.
    init(_ urls: [String], _ rule: Rule, timeouts: HTTPTimeouts, context: ProviderContext) {
        self.urls = urls
        self.rule = rule
        self.timeouts = timeouts
        self.context = context
        share = AnswerBudget.Share(context.answers)
    }

    /// Starts fetching. `completion` is called exactly once, possibly before this returns, but not after `cancel`.
    func start(_ completion: @escaping Completion) {
        self.completion = completion
        guard urls.count <= Self.maximumURLs else {
            return finish(
                .failure(
                    GenerationError(
                        .invalidRequest, "the request has more than \(Self.maximumURLs) URLs of images and documents")))
        }
        next()
    }

    /// Closes the connection; the completion is not called.
    func cancel() {
        completion = nil
        transfer?.cancel()
        share.giveBack()
    }

    private func next() {
        guard contents.count < urls.count else { return finish(.success(contents)) }
        location = urls[contents.count]
        content = Content()
        redirects = 0
        send()
    }

    private func send() {
        target = nil
        var timeouts = timeouts
        timeouts.total = min(timeouts.total, startedAt + Self.maximumTime - .now())
        do {
            transfer = context.client.start(
                HTTPRequest(
                    url: location, headers: try HTTPHeaders([("Accept", "*/*")]), body: nil, timeouts: timeouts,
                    prefersHTTP1: true, allowsAddress: rule.allows), delegate: self)
        } catch {
            fail(.invalidRequest, "\(error)")
        }
    }

    // MARK: - TransferDelegate

    func transferDidReceiveHead(_ head: HTTPResponseHead) {
        switch head.status {
        case 200..<300: content.mimeType = Self.mimeType(head.header("content-type") ?? "")
        case 301, 302, 303, 307, 308:
            target = head.header("location").flatMap { URLReference.resolve($0, against: location) }
            if target == nil { stop(.invalidRequest, "it redirects to an invalid URL") }
        case 408, 429, 500...599: stop(.network, "its server returned HTTP \(head.status)")
        default: stop(.invalidRequest, "its server returned HTTP \(head.status)")
        }
    }

    func transferDidReceive(_ bytes: UnsafeRawBufferPointer) -> Demand {
        guard completion != nil, target == nil else { return .more }
        total += bytes.count
        guard total <= rule.maximumBytes else {
            stop(.invalidRequest, rule.exceeded)
            return .more
        }
        content.bytes.append(contentsOf: bytes)
        do throws(GenerationError) {
            try share.hold(total)
        } catch {
            transfer?.cancel()
            finish(.failure(error))
        }
        return .more
    }

    func transferDidFinish(_ error: HTTPError?) {
        guard completion != nil else { return }
        if let target {
            redirects += 1
            guard redirects <= Self.maximumRedirects else {
                return fail(.invalidRequest, "it redirects more than \(Self.maximumRedirects) times")
            }
            location = target
            return send()
        }
        if let error {
            let isCallers = error.kind == .badURL || error.kind == .resolve || error.isRefusedAddress
            return fail(isCallers ? .invalidRequest : .network, error.description)
        }
        contents[urls[contents.count]] = content
        next()
    }

    // MARK: - Completion

    private func stop(_ kind: GenerationError.Kind, _ reason: String) {
        transfer?.cancel()
        fail(kind, reason)
    }

    private func fail(_ kind: GenerationError.Kind, _ reason: String) {
        let url = VendorError.place(urls[min(contents.count, urls.count - 1)])
        finish(
            .failure(
                GenerationError(
                    kind, "\(url) cannot be fetched for a model that accepts no URLs: \(reason); send the data instead")
            ))
    }

    private func finish(_ result: Result<[String: Content], GenerationError>) {
        let completion = completion
        self.completion = nil
        share.giveBack()
        completion?(result)
    }

    /// The media type in a header, without parameters; empty if it is malformed.
    private static func mimeType(_ header: String) -> String {
        let type = header.prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
        let isClean = type.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }
        return isClean && type.contains("/") && type.utf8.count <= 100 ? type : ""
    }
}

extension PreparedRequest {
    /// The distinct URLs of images and documents, in order.
    /// - Throws: `.invalidRequest` for a URL that is neither `http` nor `https`.
    func mediaURLs() throws(GenerationError) -> [String] {
        var urls: [String] = []
        var known: Set<String> = []
        for message in messages {
            for part in message.parts {
                guard let source = part.source, case .url(let url) = MediaAddress.of(source).address else { continue }
                let scheme = url.prefix { $0 != ":" }.lowercased()
                guard scheme == "http" || scheme == "https" else {
                    throw GenerationError(
                        .invalidRequest,
                        "\(VendorError.place(url)): this model accepts no URLs, and only http and https URLs are "
                            + "fetched for it; send the data instead")
                }
                if known.insert(url).inserted { urls.append(url) }
            }
        }
        return urls
    }

    /// Replaces the URLs with the fetched contents.
    /// - Returns: the size of the inserted contents, in bytes.
    /// - Throws: `.invalidRequest` if it exceeds the rule's limit. A URL is fetched once, but sent in each of its places:
    ///   a small request could name a large content thousands of times.
    mutating func inline(
        _ contents: [String: MediaFetch.Content], _ rule: MediaFetch.Rule
    ) throws(GenerationError) -> Int {
        var total = 0
        for message in messages {
            for part in message.parts { total += part.fetched(contents)?.content.bytes.count ?? 0 }
        }
        guard total <= rule.maximumBytes else { throw GenerationError(.invalidRequest, rule.exceeded) }
        for message in messages.indices {
            for part in messages[message].parts.indices {
                messages[message].parts[part].inline(contents)
            }
        }
        return total
    }
}

extension Part {
    fileprivate var source: MediaSource? {
        switch content {
        case .text, .audio: nil
        case .image(let image): image.source
        case .file(let file): file.source
        }
    }

    /// What its URL holds; `nil` if it has none that was fetched.
    fileprivate func fetched(
        _ contents: [String: MediaFetch.Content]
    ) -> (url: String, content: MediaFetch.Content)? {
        guard let source, case .url(let url) = source, let content = contents[url] else { return nil }
        return (url, content)
    }

    fileprivate mutating func inline(_ contents: [String: MediaFetch.Content]) {
        guard let (url, found) = fetched(contents) else { return }
        let known = found.mimeType.isEmpty ? MediaAddress.mimeType(ofAddress: url) : found.mimeType
        switch content {
        case .text, .audio: return
        case .image(var image):
            image.source = .data(found.bytes)
            if image.mimeType.isEmpty { image.mimeType = known ?? "image/jpeg" }
            content = .image(image)
        case .file(var file):
            file.source = .data(found.bytes)
            if file.mimeType.isEmpty { file.mimeType = known ?? "application/pdf" }
            // The vendor has one type for all texts.
            if file.mimeType.hasPrefix("text/") { file.mimeType = "text/plain" }
            content = .file(file)
        }
    }
}
