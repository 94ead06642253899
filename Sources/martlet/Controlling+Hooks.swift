internal import Commands
internal import Controller
internal import Foundation
internal import Gateway
internal import Logging
internal import Planning
internal import Schema
internal import ServiceLifecycle
internal import StateStore

/// The listener for hooks of git servers, and what makes readings of them.
struct HookServices {
    /// How long hooks are collected after a reading.
    private static let pause = Duration.seconds(1)

    let services: [any Service]

    /// Throws when a secret cannot be read.
    init(
        _ options: HookOptions,
        sources: [String: SecretReference],
        secrets: SecretReader,
        reconciler: Reconciler,
        servers: GatewayServers,
        addresses: AddressFile
    ) throws {
        let logger = servers.logger
        let inbox = HookInbox(sources: sources.keys, clock: ContinuousClock(), pause: HookServices.pause) { notice in
            do {
                _ = try await reconciler.look(at: notice.source, HookServices.request(notice))
            } catch {
                // The source's condition tells it too; whoever sent the hook has its answer already.
                logger.warning(
                    "a hook's reading failed",
                    metadata: ["source": "\(notice.source)", "error": "\(error)"]
                )
            }
        }
        let plane = HookPlane(secrets: try sources.mapValues { try secrets.read($0) }, inbox: inbox)
        let address = try Controlling.address(options.listen)
        let server = servers.hooks(plane, at: address) { port in
            addresses.note("hooks", dialled: address, port: port)
        }
        self.services = [inbox, server]
    }

    /// A hook as the audit log tells it.
    private static func request(_ notice: HookNotice) -> OperatorRequest {
        OperatorRequest(
            actor: Actor(notice.forms.sorted().map(\.rawValue).joined(separator: ", ")),
            origin: "hook",
            reason: notice.count == 1 ? "a hook came" : "\(notice.count) hooks came"
        )
    }
}
