internal import Planning
internal import Schema

extension InferenceServer {
    /// Takes no new requests, and returns when those under way have finished or their endpoints' drain time-outs are
    /// over; what is left then ends with an error that says so.
    package func drainEverything() async {
        let drains = self.withState { state in
            state.runners.keys.map { key in
                (key, state.endpoints[key.variant.resource]?.settings?.rollout.drainTimeout ?? .seconds(30))
            }
        }
        await withDiscardingTaskGroup { group in
            for (runner, timeout) in drains {
                group.addTask { await self.drain(runner, timeout: timeout) }
            }
        }
    }
}
