internal import HTTPTypes
internal import Hummingbird
internal import Schema

/// The forms in which git servers tell that something was pushed.
package enum HookForm: String, Sendable, Hashable, CaseIterable, Comparable {
    case github
    case gitlab
    case gitea

    /// The form of a request, or nil when it looks like none.
    ///
    /// Gitea sends GitHub's headers along with its own, so its own decide.
    init?(of headers: HTTPFields) {
        let form = [HookForm.gitea, .gitlab, .github].first { form in
            headers.contains(form.eventField) || headers.contains(form.proofField)
        }
        guard let form else { return nil }
        self = form
    }

    /// What the header with the event's name is called.
    private var eventField: HTTPField.Name {
        switch self {
        case .github: .gitHubEvent
        case .gitlab: .gitLabEvent
        case .gitea: .giteaEvent
        }
    }

    /// What the header is called that shows who sent the request.
    var proofField: HTTPField.Name {
        switch self {
        case .github: .hubSignature256
        case .gitlab: .gitLabToken
        case .gitea: .giteaSignature
        }
    }

    /// Whether the server only tries out whether its hooks arrive.
    func isPing(_ headers: HTTPFields) -> Bool {
        headers[self.eventField] == "ping"
    }

    /// Whether the header of this form shows that the sender of a body knows a secret. The comparison takes the same
    /// time wherever a proof goes wrong.
    func isProof(_ proof: String, of body: [UInt8], secret: [UInt8]) -> Bool {
        switch self {
        case .github:
            let code = "sha256=" + MessageAuthentication.code(of: body, secret: secret)
            return MessageAuthentication.areEqual(Array(proof.utf8), Array(code.utf8))
        case .gitlab:
            // The token is the secret itself: the body is not covered.
            return MessageAuthentication.areEqual(Array(proof.utf8), secret)
        case .gitea:
            let code = MessageAuthentication.code(of: body, secret: secret)
            return MessageAuthentication.areEqual(Array(proof.utf8), Array(code.utf8))
        }
    }

    package static func < (lhs: HookForm, rhs: HookForm) -> Bool { lhs.rawValue < rhs.rawValue }
}

extension HTTPField.Name {
    fileprivate static let gitHubEvent = Self("x-github-event")!
    fileprivate static let hubSignature256 = Self("x-hub-signature-256")!
    fileprivate static let gitLabEvent = Self("x-gitlab-event")!
    fileprivate static let gitLabToken = Self("x-gitlab-token")!
    fileprivate static let giteaEvent = Self("x-gitea-event")!
    fileprivate static let giteaSignature = Self("x-gitea-signature")!
}
