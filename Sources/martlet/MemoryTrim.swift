internal import Controller
internal import Glibc
internal import Planning
internal import ServiceLifecycle
internal import StateStore

/// Gives memory back to the system that is free, but that the allocator would keep.
///
/// Reading ten thousand manifests takes twice the memory that they need afterwards, and what is left lies scattered: an
/// allocator that only cuts off the end of its heaps keeps all of it.
struct MemoryTrim: Service {
    /// Between two looks at whether anything was planned meanwhile.
    private static let pause = Duration.seconds(5)

    let reconciler: Reconciler
    let store: SQLiteControlStore

    /// To be called before there are many threads: few heaps, so that one thread uses what another has freed, and
    /// mappings of their own for what is large, so that a table which has grown leaves no hole.
    static func prepare() {
        // Parameters of mallopt(3); Swift's module of the C library leaves <malloc.h> out.
        let (trimThreshold, mapThreshold, heaps) = (Int32(-1), Int32(-3), Int32(-8))
        typealias Option = @convention(c) (Int32, Int32) -> Int32
        guard let symbol = dlsym(nil, "mallopt") else { return }
        let set = unsafeBitCast(symbol, to: Option.self)
        _ = (set(heaps, 2), set(mapThreshold, 256 << 10), set(trimThreshold, 1 << 20))
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var plans = 0
            while (try? await Task.sleep(for: Self.pause)) != nil {
                let now = await self.reconciler.metrics.plans
                if now != plans {
                    await self.store.releaseMemory()
                    Self.trim()
                }
                plans = now
            }
        }
    }

    private static func trim() {
        typealias Trim = @convention(c) (Int) -> Int32
        guard let symbol = dlsym(nil, "malloc_trim") else { return }
        _ = unsafeBitCast(symbol, to: Trim.self)(0)
    }
}
