internal import Auth
package import Config
package import EventLoop
internal import Glibc
package import HTTPClient

/// The credentials of a configuration: one per entry of `auth`, shared by all models that use it. Shared by all loops.
package final class CredentialStore: Sendable {
    /// An entry of `auth` and its header settings.
    struct Entry: Sendable {
        let credential: Credential
        /// Its configuration; `nil` if it does not come from `auth`.
        var configuration: AuthConfiguration?
        var header: String?
        var prefix: String?
    }

    private let entries: [String: Entry]
    private let environment: [String: String]
    private let caFile: String?
    private struct Weak {
        weak var credential: Credential?
    }

    private struct State {
        /// Google's default credential; created when the first model needs it.
        var google: Credential?
        /// Those that models use. An entry that no model uses fetches no tokens.
        var used: [Credential] = []
        /// Those of earlier configurations that calls in progress may still use.
        var retired: [Weak] = []
        /// The client that fetches tokens; `nil` before `attach`.
        var home: LoopBound<HTTPClient>?
    }

    private let state: Locked<State>

    /// The credentials of `configuration`. No file is read and no connection made before `attach`.
    /// - Parameter previous: the store that this one replaces. Unchanged entries keep their credential and token.
    package init(
        _ configuration: Configuration, environment: [String: String] = CredentialStore.processEnvironment,
        carryingOver previous: CredentialStore? = nil
    ) {
        self.environment = environment
        let caFile = configuration.tls.caFile
        self.caFile = caFile
        let isSameSetting = previous?.environment == environment && previous?.caFile == caFile
        let previous = isSameSetting ? previous : nil
        entries = configuration.auth.mapValues { auth in
            if let known = previous?.entries[auth.name], known.configuration == auth {
                if auth.method.readsOutside { known.credential.renew() }
                return known
            }
            return Entry(
                credential: Credential(auth, environment: environment, caFile: caFile), configuration: auth,
                header: auth.header, prefix: auth.prefix)
        }
        let google = previous?.state.withLock { $0.google }
        google?.renew()
        state = Locked(State(google: google))
    }

    /// The entry of this name; `nil` if there is none.
    func entry(named name: String) -> Entry? {
        guard let entry = entries[name] else { return nil }
        use(entry.credential)
        return entry
    }

    /// Google's default credential, shared by all models.
    func googleDefault() -> Credential {
        let credential = state.withLock { state in
            let credential = state.google ?? Credential.googleDefault(environment: environment, caFile: caFile)
            state.google = credential
            return credential
        }
        use(credential)
        return credential
    }

    /// Whether Google's default search would find a file. The metadata server is not queried.
    var hasGoogleFile: Bool {
        if environment["GOOGLE_APPLICATION_CREDENTIALS"]?.isEmpty == false { return true }
        let folder = environment["CLOUDSDK_CONFIG"] ?? environment["HOME"].map { $0 + "/.config/gcloud" }
        return folder.map { access($0 + "/application_default_credentials.json", R_OK) == 0 } ?? false
    }

    private func use(_ credential: Credential) {
        let home = state.withLock { state -> LoopBound<HTTPClient>? in
            if state.used.contains(where: { $0 === credential }) { return nil }
            state.used.append(credential)
            return state.home
        }
        // The model was created for a caller, after `attach`.
        if let home { home.loop.execute { credential.attach(loop: home.loop, client: home.value) } }
    }

    /// Whether any model uses a credential of this store.
    package var isUsed: Bool { state.withLock { !$0.used.isEmpty } }

    /// Starts fetching tokens with `client`, so that the first request does not wait for one. Called on `loop`.
    package func attach(loop: EventLoop, client: HTTPClient) {
        let used = state.withLock { state in
            state.home = LoopBound(client, on: loop)
            return state.used
        }
        for credential in used {
            credential.attach(loop: loop, client: client)
            credential.prefetch()
        }
    }

    /// Hands over to `successor`. Credentials that it does not use serve calls in progress only; `successor.detach`
    /// stops them too.
    package func retire(for successor: CredentialStore) {
        let (used, retired) = state.withLock { ($0.used, $0.retired) }
        successor.state.withLock { state in
            let dropped = used.filter { one in !state.used.contains { $0 === one } }
            for credential in dropped { credential.retire() }
            state.retired += retired.filter { $0.credential != nil } + dropped.map { Weak(credential: $0) }
        }
    }

    /// Stops fetching tokens. Called on the same loop as `attach`, before its client is shut down.
    package func detach() {
        let credentials = state.withLock { state in
            state.home = nil
            return state.used + state.retired.compactMap(\.credential)
        }
        for credential in credentials { credential.detach() }
    }

    /// The environment variables of this process.
    package static var processEnvironment: [String: String] {
        var result: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let pair = String(cString: text)
            if let equals = pair.firstIndex(of: "=") {
                result[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
            }
            entry += 1
        }
        return result
    }
}
