internal import Schema

/// What a child writes to its standard output: one of the two.
struct ChildReply<Answer> {
    /// An error, as it travels.
    struct Failure: Codable {
        var code: String
        var message: String
        var disposition: MartletError.Disposition

        init(_ error: MartletError) {
            // The cause stays behind; its words travel.
            (self.code, self.message, self.disposition) = (error.code, error.description, error.disposition)
        }

        var error: MartletError { MartletError(self.code, self.message, disposition: self.disposition) }
    }

    var answer: Answer?
    var failure: Failure?
}

extension ChildReply: Encodable where Answer: Encodable {}

extension ChildReply: Decodable where Answer: Decodable {}
