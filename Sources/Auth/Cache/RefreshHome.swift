internal import EventLoop
internal import Generation
internal import HTTPClient

/// What all refreshes of a credential have in common.
struct RefreshSetting: Sendable {
    /// What its errors begin with: the entry of `auth` and its type.
    let label: String
    let environment: [String: String]
    let caFile: String?
    /// Seconds that one refresh may take.
    let timeout: Double
}

/// Where a credential's refreshes run. Belongs to its loop.
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

    /// Fetches a token. `completion` is called once, on the loop, unless `stop` comes first.
    func refresh(from source: any TokenSource, _ completion: @escaping (Result<FetchedToken, AuthFailure>) -> Void) {
        let run = RefreshRun(loop: loop, client: client, setting: setting) { [weak self] result in
            self?.run = nil
            completion(result)
        }
        self.run = run
        run.start(source)
    }

    /// Calls `body` at a time, CLOCK_MONOTONIC in nanoseconds, unless another visit or `stop` comes first.
    func visit(at time: UInt64, _ body: @escaping () -> Void) {
        if let visit { loop.cancel(visit) }
        let timer = LoopTimer(body)
        visit = timer
        loop.schedule(timer, at: time)
    }

    /// Gives up.
    func stop() {
        if let visit { loop.cancel(visit) }
        visit = nil
        run?.stop()
        run = nil
    }
}
