internal import HTTPTypes
internal import Hummingbird
internal import Schema

/// What the listener for git servers works with: `POST /hooks/git` and `POST /hooks/git/{source}`.
///
/// A hook is believed in one thing only: that it is time to look. Nothing of its body is read as anything but the bytes
/// that its signature covers.
package struct HookPlane: Sendable {
    /// The most bytes of a body.
    static let maxBodyBytes = 1 << 20

    /// The secret of each source that takes hooks, by the source's name; none is empty.
    private let secrets: [String: [UInt8]]
    private let inbox: HookInbox
    private let identifiers: IdentifierSource

    package init(
        secrets: [String: [UInt8]],
        inbox: HookInbox,
        identifiers: @escaping IdentifierSource = { RequestIdentity.random() }
    ) {
        self.secrets = secrets.filter { !$0.value.isEmpty }
        self.inbox = inbox
        self.identifiers = identifiers
    }

    func makeRouter() -> Router<GatewayContext> {
        let router = Router(context: GatewayContext.self)
        router.add(middleware: RequestIdentityMiddleware(identifiers: self.identifiers))
        router.add(middleware: ProblemMiddleware())
        router.post("/hooks/git") { request, _ in try await self.answer(request, for: nil) }
        router.post("/hooks/git/{source}") { request, context in
            try await self.answer(request, for: context.parameters.require("source"))
        }
        for path in ["/hooks/git", "/hooks/git/{source}"] {
            router.refuseOtherMethods(RouterPath(path), allowed: [.post])
        }
        return router
    }

    /// Asks for the named source, or for every source whose secret the sender knows.
    private func answer(_ request: Request, for source: String?) async throws -> Response {
        let headers = request.headers
        guard let form = HookForm(of: headers) else {
            throw Problem.badRequest("This is no hook of GitHub, GitLab or Gitea.")
        }
        guard let proof = headers[form.proofField] else {
            throw Problem.unproven("The hook carries no \(form.proofField); give the git server the secret.")
        }
        let body = try await request.bodyBytes(upTo: HookPlane.maxBodyBytes)
        let proven = self.secrets.filter { form.isProof(proof, of: body, secret: $0.value) }.keys
        guard !proven.isEmpty else {
            throw Problem.unproven("\(form.proofField) was not made with the secret that this controller has.")
        }
        let asked = try self.sources(source, among: Set(proven), form)
        guard !form.isPing(headers) else { return Response.json(["ping": "pong"]) }
        for source in asked { self.inbox.receive(form, for: source) }
        return Response.json(["sources": .array(asked.map { .string($0) })], status: .accepted)
    }

    /// Only who knows some secret learns which sources there are.
    private func sources(_ source: String?, among proven: Set<String>, _ form: HookForm) throws -> [String] {
        guard let source else { return proven.sorted() }
        guard self.secrets[source] != nil else {
            let known = self.secrets.keys.sorted().joined(separator: ", ")
            throw Problem(status: 404, code: "NotFound", "No source '\(source)' takes hooks; there are \(known).")
        }
        guard proven.contains(source) else {
            throw Problem.unproven("\(form.proofField) was not made with the secret of source '\(source)'.")
        }
        return [source]
    }
}

extension Problem {
    /// 401 for a hook that does not show that its sender knows the secret.
    fileprivate static func unproven(_ detail: String) -> Problem {
        Problem(status: 401, code: "Unauthorized", detail)
    }
}
