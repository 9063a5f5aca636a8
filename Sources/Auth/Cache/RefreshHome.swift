internal import EventLoop
internal import Generation
internal import HTTPClient

/// Settings shared by all refreshes of one credential.
struct RefreshSetting: Sendable {
    /// Prefix of error messages: name and type of the entry of `auth`.
    let label: String
    let environment: [String: String]
    let caFile: String?
    /// Time limit of one refresh, in seconds.
    let timeout: Double
}

/// Runs the refreshes of one credential on one loop. Confined to that loop.
final class RefreshHome {
    private let loop: EventLoop
    private let client: HTTPClient
    private let setting: RefreshSetting
    private var run: RefreshRun?
    private var visit: LoopTimer?

    init(loop: EventLoop, client: HTTPClient, setting: RefreshSetting) {
        self.loop = loop
        self.client = client
        self.setting = setting
    }

    /// Fetches a token. `completion` is called once, on the loop, unless `stop` is called first.
    func refresh(from source: any TokenSource, _ completion: @escaping (Result<FetchedToken, AuthFailure>) -> Void) {
        let run = RefreshRun(loop: loop, client: client, setting: setting) { [weak self] result in
            self?.run = nil
            completion(result)
        }
        self.run = run
        run.start(source)
    }

    /// Calls `body` at `time`. A later call replaces an earlier one; `stop` cancels it.
    func visit(at time: Instant, _ body: @escaping () -> Void) {
        if let visit { loop.cancel(visit) }
        let timer = LoopTimer(body)
        visit = timer
        loop.schedule(timer, at: time)
    }

    /// Cancels the refresh in progress and the scheduled visit. No completion handler is called.
    func stop() {
        if let visit { loop.cancel(visit) }
        visit = nil
        run?.stop()
        run = nil
    }
}
