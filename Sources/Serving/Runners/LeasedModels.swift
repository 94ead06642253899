internal import Planning
internal import Schema

/// The models of one replica, and how to give them back.
struct LeasedModels: Sendable {
    /// By the resource that declares each.
    var models: [ResourceIdentity: any CompletionModel]
    var release: @Sendable () -> Void
}
