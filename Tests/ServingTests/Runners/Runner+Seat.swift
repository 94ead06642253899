@testable import Serving

extension Runner {
    /// Asks for a seat; nil where the runner takes no requests any more.
    ///
    /// - Parameter limit: how many requests may wait.
    func seat(limit: Int = 9) async throws -> Seat? {
        switch try await self.admit(queueLimit: limit, patience: .seconds(30), wasMoved: false) {
        case .seated(let seat): seat
        case .moved: nil
        }
    }
}
