/// Finds circles in small graphs.
package enum ReferenceCycles {
    /// For each group of nodes that reach each other, one shortest circle through its lowest node, which comes first.
    ///
    /// `edges[node]` are the nodes that `node` refers to.
    package static func find(_ edges: [[Int]]) -> [[Int]] {
        var cycles: [[Int]] = []
        for component in self.components(edges) {
            guard let first = component.min() else { continue }
            if let cycle = self.shortestCycle(through: first, within: Set(component), edges) { cycles.append(cycle) }
        }
        return cycles.sorted { $0[0] < $1[0] }
    }

    /// Breadth first from a node until it is reached again.
    private static func shortestCycle(through start: Int, within nodes: Set<Int>, _ edges: [[Int]]) -> [Int]? {
        var cameFrom: [Int: Int] = [:]
        var queue = [start]
        var index = 0
        while index < queue.count {
            let node = queue[index]
            index += 1
            for next in edges[node] where nodes.contains(next) {
                if next == start {
                    var cycle = [node]
                    while let last = cycle.last, last != start, let previous = cameFrom[last] { cycle.append(previous) }
                    return cycle.reversed()
                }
                if cameFrom[next] == nil {
                    cameFrom[next] = node
                    queue.append(next)
                }
            }
        }
        return nil
    }

    /// Strongly connected components, by Tarjan's algorithm without recursion.
    private static func components(_ edges: [[Int]]) -> [[Int]] {
        var state = TarjanState(count: edges.count)
        for node in edges.indices where state.order[node] == nil {
            state.visit(node, edges)
        }
        return state.components
    }
}

private struct TarjanState {
    var order: [Int?]
    var low: [Int]
    var isOnStack: [Bool]
    var stack: [Int] = []
    var components: [[Int]] = []
    var counter = 0

    init(count: Int) {
        self.order = Array(repeating: nil, count: count)
        self.low = Array(repeating: 0, count: count)
        self.isOnStack = Array(repeating: false, count: count)
    }

    mutating func visit(_ root: Int, _ edges: [[Int]]) {
        var frames: [(node: Int, edge: Int)] = [(root, 0)]
        self.enter(root)
        while let frame = frames.last {
            guard frame.edge < edges[frame.node].count else {
                frames.removeLast()
                if let parent = frames.last { self.low[parent.node] = min(self.low[parent.node], self.low[frame.node]) }
                if self.low[frame.node] == self.order[frame.node] { self.close(frame.node) }
                continue
            }
            frames[frames.count - 1].edge += 1
            let next = edges[frame.node][frame.edge]
            if let order = self.order[next] {
                if self.isOnStack[next] { self.low[frame.node] = min(self.low[frame.node], order) }
            } else {
                self.enter(next)
                frames.append((next, 0))
            }
        }
    }

    private mutating func enter(_ node: Int) {
        self.order[node] = self.counter
        self.low[node] = self.counter
        self.counter += 1
        self.stack.append(node)
        self.isOnStack[node] = true
    }

    private mutating func close(_ node: Int) {
        var component: [Int] = []
        while let last = self.stack.popLast() {
            self.isOnStack[last] = false
            component.append(last)
            if last == node { break }
        }
        self.components.append(component)
    }
}
