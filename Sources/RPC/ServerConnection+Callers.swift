internal import EventLoop
internal import Limits

/// Who calls on a connection.
extension ServerConnection {
    /// The caller of one call; `nil` where it may not call: it is told so, and the connection closes.
    func admit(_ envelope: RequestEnvelope, _ method: Method, streamID: UInt32) -> Admission.Caller? {
        do throws(Failure) {
            let wasKnown = isKnown
            let caller = try admission.caller(metadata: envelope.metadata, isOpen: method.isOpen)
            if !wasKnown, isKnown { try becomeKnown() }
            return caller
        } catch {
            if error == Admission.wrongToken { countGuess() }
            refuseAndClose(streamID, error)
            return nil
        }
    }

    /// Moves the connection from the strangers' places to those of known callers.
    /// - Throws: `Failure` where they are all taken.
    private func becomeKnown() throws(Failure) {
        if let strangerTimer { context.loop.cancel(strangerTimer) }
        strangerTimer = nil
        beginReading()
        guard context.promote(self) else {
            throw Failure(
                .busy,
                "\(context.server.limits.maxConnections) connections are open, the most that this server may have")
        }
    }

    /// Takes a token for the whole connection; returns the caller.
    /// - Throws: `Failure` for a wrong token or where there is no place for another known caller; the connection is
    ///   to be closed then.
    func authenticate(token: String) throws(Failure) -> String {
        let wasKnown = isKnown
        guard let caller = admission.authenticate(token: token) else {
            countGuess()
            throw Admission.wrongToken
        }
        if !wasKnown { try becomeKnown() }
        return caller
    }

    /// Whether the connection itself has shown who it is.
    var mayCall: Bool { admission.mayCall }

    private func countGuess() {
        if let origin { context.server.countGuess(origin, now: context.loop.now) }
    }

    /// Ends the connection, or those of its calls, that another policy no longer admits.
    func adopt(_ policy: AccessPolicy) {
        let wasKnown = isKnown
        if let failure = admission.adopt(policy, live: calls.values.map(\.identity)) {
            for call in Array(calls.values) { call.cancel(.revoked(failure)) }
            return closeAfterFlush()
        }
        for call in Array(calls.values) {
            if let failure = admission.failure(of: call.identity) { call.cancel(.revoked(failure)) }
        }
        guard !wasKnown, isKnown else { return }
        do throws(Failure) { try becomeKnown() } catch { closeAfterFlush() }
    }
}
