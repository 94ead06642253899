internal import Foundation
internal import Gateway
internal import Synchronization

/// Tells other programs which ports the system gave: `run/addresses.json`, there once every listener is up.
final class AddressFile: Sendable {
    private let path: String
    private let count: Int
    private let addresses = Mutex<[String: String]>([:])

    /// - Parameter count: How many listeners there are.
    init(path: String, count: Int) {
        self.path = path
        self.count = count
        unlink(path)
    }

    func note(_ name: String, dialled address: ListenAddress, port: Int?) {
        guard case .tcp(let host, let asked) = address else { return }
        let printable = host.contains(":") ? "[\(host)]" : host
        let complete = self.addresses.withLock { addresses in
            addresses[name] = "http://\(printable):\(port ?? asked)"
            return addresses.count == self.count ? addresses : nil
        }
        guard let complete else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try? encoder.encode(complete).write(to: URL(filePath: self.path), options: .atomic)
        for (name, address) in complete.sorted(by: { $0.key < $1.key }) {
            print("\(name) on \(address)")
        }
        fflush(nil)
    }
}
