internal import EventLoop
internal import Limits

/// Authentication of a connection and of its calls.
extension ServerConnection {
    /// Returns the caller of one call.
    /// - Throws: `Failure` if it may not call; the connection must then be closed, so that each guess costs one.
    func admit(metadata: [(key: String, value: String)], isOpen: Bool) throws(Failure) -> Admission.Caller {
        let wasKnown = isKnown
        do throws(Failure) {
            let caller = try admission.caller(metadata: metadata, isOpen: isOpen)
            if !wasKnown, isKnown { try becomeKnown() }
            return caller
        } catch {
            if error == Admission.wrongToken { countGuess() }
            throw error
        }
    }

    /// Counts the connection as one of a known caller instead of a stranger.
    /// - Throws: `Failure` if the limit of known callers' connections is reached.
    private func becomeKnown() throws(Failure) {
        endStrangerTimeout()
        guard context.promote(self) else {
            throw Failure(
                .busy,
                "\(context.server.limits.maxConnections) connections are open, which is this server's limit")
        }
    }

    func authenticate(token: String) throws(Failure) -> String {
        let wasKnown = isKnown
        guard let caller = admission.authenticate(token: token) else {
            countGuess()
            throw Admission.wrongToken
        }
        if !wasKnown { try becomeKnown() }
        return caller
    }

    private func countGuess() {
        if let origin { context.server.countGuess(origin, now: context.loop.now) }
    }

    /// Applies a new policy: ends the connection, or those of its calls that the policy no longer admits.
    func adopt(_ policy: AccessPolicy) {
        let wasKnown = isKnown
        let calls = wire.calls
        if let failure = admission.adopt(policy, live: calls.map(\.identity)) {
            for call in calls { call.cancel(.revoked(failure)) }
            return closeAfterFlush()
        }
        for call in calls {
            if let failure = admission.failure(of: call.identity) { call.cancel(.revoked(failure)) }
        }
        guard !wasKnown, isKnown else { return }
        do throws(Failure) { try becomeKnown() } catch { closeAfterFlush() }
    }
}
