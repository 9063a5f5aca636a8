internal import EventLoop
internal import Limits

/// Who calls on a connection.
extension ServerConnection {
    /// The caller of one call.
    /// - Throws: `Failure` where it may not call; the connection is to be closed then, so that each guess costs one.
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

    /// Moves the connection from the strangers' places to those of known callers.
    /// - Throws: `Failure` where they are all taken.
    private func becomeKnown() throws(Failure) {
        endStrangerhood()
        guard context.promote(self) else {
            throw Failure(
                .busy,
                "\(context.server.limits.maxConnections) connections are open, the most that this server may have")
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

    /// Ends the connection, or those of its calls, that another policy no longer admits.
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
