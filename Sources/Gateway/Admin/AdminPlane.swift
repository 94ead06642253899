internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
package import Planning

/// What every route of the admin API works with.
package struct AdminPlane: Sendable {
    /// The most bytes of any body.
    static let maxBodyBytes = 1 << 20

    package var commands: any OperatorCommands
    /// Who asks when no `x-martlet-actor` says it: whoever owns the socket.
    package var owner: Actor
    /// Where requests come from, for the audit log.
    package var origin: String
    package var identifiers: IdentifierSource
    /// What is written down of requests, and what dates feedback; nil: nothing is.
    package var records: (store: any RecordStore, clock: any WallClock)?
    /// Repeats recorded requests; nil: nothing does.
    package var replayer: (any RequestReplayer)?

    package init(
        commands: any OperatorCommands,
        owner: Actor,
        origin: String = "cli",
        identifiers: @escaping IdentifierSource = { RequestIdentity.random() },
        records: (store: any RecordStore, clock: any WallClock)? = nil,
        replayer: (any RequestReplayer)? = nil
    ) {
        self.commands = commands
        self.owner = owner
        self.origin = origin
        self.identifiers = identifiers
        self.records = records
        self.replayer = replayer
    }

    /// Every route of the admin API.
    func makeRouter() -> Router<GatewayContext> {
        let router = Router(context: GatewayContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: RequestIdentityMiddleware(identifiers: self.identifiers))
        router.add(middleware: ProblemMiddleware())
        AdminQueries(plane: self).register(on: router)
        AdminEvents(plane: self).register(on: router)
        AdminActions(plane: self).register(on: router)
        if let records { RecordRoutes(plane: self, records: records.store, clock: records.clock).register(on: router) }
        return router
    }

    /// Who asks for what reason, for the audit log.
    func operatorRequest(_ request: Request, reason: String) throws -> OperatorRequest {
        var actor = self.owner
        if let name = request.headers[.martletActor] {
            guard (1...128).contains(name.count), name.contains(where: { !$0.isWhitespace }) else {
                throw Problem.badRequest("'x-martlet-actor' must be a name of 1 to 128 characters.")
            }
            actor = Actor(name)
        }
        return OperatorRequest(actor: actor, origin: self.origin, reason: reason)
    }
}

extension Response {
    /// A value of the admin API, in the JSON of its own coding with sorted keys.
    static func json(coding value: some Encodable) throws -> Response {
        .json(ByteBuffer(bytes: try AdminJSON.encode(value)))
    }
}

/// How the admin API spells values.
enum AdminJSON {
    static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value)
    }
}
