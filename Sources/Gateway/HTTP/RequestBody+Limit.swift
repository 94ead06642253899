internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// A body that has more bytes than its reader allows.
struct BodyTooLarge: Error {
    let limit: Int
}

/// A body in a coding that is not read here.
struct BodyEncoded: Error {
    /// `gzip`
    let coding: String
}

/// A body that ended before its declared end, mostly since the client went away.
struct BodyBrokenOff: Error {}

extension Request {
    /// All bytes of the body. Throws ``BodyTooLarge`` past `limit` bytes, before reading where the length is declared,
    /// ``BodyEncoded`` and ``BodyBrokenOff``.
    func bodyBytes(upTo limit: Int) async throws -> [UInt8] {
        if let coding = self.headers[.contentEncoding], coding.lowercased() != "identity" {
            throw BodyEncoded(coding: coding)
        }
        if let declared = self.headers[.contentLength].flatMap({ Int($0) }), declared > limit {
            throw BodyTooLarge(limit: limit)
        }
        do {
            let body = try await OpenConnection.reading { try await self.body.collect(upTo: limit) }
            return Array(body.readableBytesView)
        } catch is NIOTooManyBytesError {
            throw BodyTooLarge(limit: limit)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            // Nothing but the connection can fail here.
            throw BodyBrokenOff()
        }
    }
}
